/** What the tests read of a reply; each looks only at fields that its own assertions are about. */
// oxlint-disable-next-line no-explicit-any -- bodies differ per operation and are asserted, not trusted
type Body = any

export type Reply = { status: number; body: Body; text: string; headers: Headers }

/** A small client for tests: JSON in, JSON out, no retries. */
export const createApi = (base: string) => {
  const call = async (
    method: string,
    path: string,
    { token, body, key }: { token?: string; body?: unknown; key?: string } = {},
  ): Promise<Reply> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      text,
      body: text === '' ? undefined : JSON.parse(text),
      headers: response.headers,
    }
  }

  return {
    base,
    call,
    async login({ email, password }: { email: string; password: string }): Promise<string> {
      const { status, body } = await call('POST', '/api/auth/login', { body: { email, password } })
      if (status !== 200) throw new Error(`Login of ${email} answered ${status}: ${JSON.stringify(body)}`)
      return body.data.accessToken
    },
  }
}

export type Api = ReturnType<typeof createApi>

/** Runs `work` for each item, at most `width` at a time. */
export const inParallel = async <T, R>(
  width: number,
  items: T[],
  work: (item: T, n: number) => Promise<R>,
) => {
  const results: R[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [n, item] of queue) results[n] = await work(item, n)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

export const countBy = <T, K extends PropertyKey>(
  items: T[],
  key: (item: T) => K,
): Partial<Record<K, number>> => {
  const counts: Partial<Record<K, number>> = {}
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return counts
}
