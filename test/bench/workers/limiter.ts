import { createObjectStore } from '../../../src/limits/store.ts'
import { createUpstashStore } from '../../../src/limits/upstash.ts'
import type { Limit, Store } from '../../../src/limits/store-port.ts'

export { SlidingWindow } from '../../../src/limits/sliding-window.do.ts'

type Bindings = Pick<Env, 'SLIDING_WINDOWS'> & { STORE: 'objects' | 'upstash'; URL: string; TOKEN: string }

/** Never reached: a denial is less work than an admission. */
const limits: Limit[] = [{ name: 'global', points: 100_000, windowMs: 1_000 }]

let store: Store | undefined

const storeOf = ({ STORE, SLIDING_WINDOWS, URL, TOKEN }: Bindings): Store =>
  STORE === 'objects'
    ? createObjectStore(SLIDING_WINDOWS)
    : createUpstashStore({ url: URL, token: TOKEN, patience: 10_000 })

/** One decision a request by the product's own store, for the key that the path names. */
export default {
  async fetch({ url }, env) {
    store ??= storeOf(env)
    const { admitted } = await store.take(url.slice(url.lastIndexOf('/')), limits)
    return new Response(String(admitted), { status: admitted ? 200 : 429 })
  },
} satisfies ExportedHandler<Bindings>
