import { says } from '../shared/object-error.ts'
import { within } from '../shared/within.ts'
import type { Admission, Admit } from './protocol.ts'

/** The binding to ApiKey, as far as it is used here. */
type Keys = {
  getByName: (keyId: string) => {
    admit: (request: Admit) => Promise<Admission>
    renew: () => Promise<void>
    revoke: () => Promise<void>
  }
}

/** Milliseconds for an answer: long enough for an object that has to ask the database first. */
const patience = 5_000

/** What one object cannot serve in a second is more than any plan admits. */
const crowded = { outcome: 'crowded' as const }

/** Each key is a Durable Object named by its id. What fails is thrown. */
export const createKeyStore = (keys: Keys) => ({
  async admit(keyId: string, request: Admit): Promise<Admission | typeof crowded> {
    const ask = async () => await within(patience, keys.getByName(keyId).admit(request))
    try {
      return await ask()
    } catch (error) {
      if (says(error, 'overloaded')) return crowded
      // It was moved, or restarted by a deploy. Should it have counted already, it counts twice.
      if (says(error, 'retryable')) return await ask()
      throw error
    }
  },

  renew: async (keyId: string): Promise<void> => await within(patience, keys.getByName(keyId).renew()),

  revoke: async (keyId: string): Promise<void> => await within(patience, keys.getByName(keyId).revoke()),
})

export type KeyStore = ReturnType<typeof createKeyStore>
