/** At most `points` requests in any `duration` seconds. */
export type Quota = { points: number; duration: number }

/** Every policy, and what holds where the variable LIMITS does not name it. */
export const policies = {
  /** Requests of an address. */
  global: { points: 100, duration: 60 },
  /** Attempts to log in from an address. */
  login: { points: 5, duration: 15 * 60 },
  /** Attempts to log in to an account. */
  account: { points: 20, duration: 60 * 60 },
  /** Mails about a forgotten password to an e-mail address. */
  forgot: { points: 3, duration: 60 * 60 },
  /** Requests with an API key, by its account's plan. */
  'key.free': { points: 100, duration: 60 * 60 },
  'key.pro': { points: 1_000, duration: 60 * 60 },
  'key.enterprise': { points: 10_000, duration: 60 * 60 },
  /** Messages and edits of a member in a conversation. */
  'chat.send': { points: 20, duration: 10 },
  /** Files that an account begins to upload. */
  upload: { points: 10, duration: 60 * 60 },
  /** Files that an address asks for: a page may show a hundred at once. */
  file: { points: 1_000, duration: 60 },
  /** Registrations from an address. */
  register: { points: 10, duration: 60 * 60 },
  /** Mails to an e-mail address that ask to confirm it. */
  confirm: { points: 3, duration: 60 * 60 },
  /** Checks of the current password of an account that is logged in. */
  password: { points: 10, duration: 15 * 60 },
} as const satisfies Record<string, Quota>

export type PolicyName = keyof typeof policies
