import { reset } from 'cloudflare:test'
import { beforeAll } from 'vitest'

/** For a file that looks at each line or call: the objects of earlier files, whose alarms log and call too, are gone. */
export const endEarlierObjects = (): void => beforeAll(async () => await reset())
