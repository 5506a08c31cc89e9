const generous = { points: 100_000, duration: 1 }

/** LIMITS for suites and benchmarks that are about something else: they log in again and again from one address. */
export const generousLimits = JSON.stringify({
  global: generous,
  login: generous,
  account: generous,
  forgot: generous,
  'key.free': generous,
  'key.pro': generous,
  'key.enterprise': generous,
  'chat.send': generous,
  upload: generous,
  file: generous,
  register: generous,
  confirm: generous,
  password: generous,
})
