/** Who is no member any more, and was none while we looked: REST names members only. */
const formerMember = 'a former member'

type Person = { userId: string; name: string }

type Options = {
  /** Who takes part now. */
  load: () => Promise<readonly Person[]>
  known?: readonly Person[]
  now?: () => number
}

/** The names of a conversation's people. Sockets tell ids alone: somebody unknown is looked up. */
export const createNames = ({ load, known = [], now = () => performance.now() }: Options) => {
  const names = new Map(known.map(({ userId, name }) => [userId, name]))
  let loadedAt = -Infinity

  const refresh = async (): Promise<void> => {
    const began = now()
    for (const { userId, name } of await load()) names.set(userId, name)
    loadedAt = began
  }

  return {
    /**
     * `heardAt`, on this program's clock: what was loaded after it knows whoever was a member by then, so that a log full of
     * former members is looked up once.
     */
    async nameOf(userId: string | null, heardAt: number): Promise<string> {
      if (userId === null) return '—'
      const name = names.get(userId)
      if (name !== undefined) return name
      if (loadedAt < heardAt) {
        try {
          await refresh()
        } catch {
          return 'somebody'
        }
      }
      return names.get(userId) ?? formerMember
    },
  }
}

export type Names = ReturnType<typeof createNames>
