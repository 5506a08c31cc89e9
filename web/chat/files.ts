import type { Client } from '../../src/client/rest.ts'
import { ApiError } from '../../src/client/api-error.ts'

/** Object URLs that are kept: what is shown again is there at once. */
const kept = 200

/** Milliseconds between tries of a file that is still being checked. */
const patience = [1_000, 2_000, 4_000, 8_000]

export const isImage = ({ type }: { type: string }): boolean => type.startsWith('image/')

/**
 * Files are private: an image element cannot ask for one, for it sends no token. So they are fetched here and shown from
 * memory. `undefined`: it never will be there for us.
 */
export const createFiles = (client: Client) => {
  const known = new Map<string, Promise<string | undefined>>()

  const fetchFile = async (id: string, variant: string): Promise<Blob> => {
    const path = { id, variant: variant as 'thumb' }
    return (await client.get('/api/v1/files/{id}/{variant}', {
      params: { path },
      parseAs: 'blob',
    })) as unknown as Blob
  }

  const load = async (id: string, variant: string): Promise<string | undefined> => {
    for (let n = 0; ; n += 1) {
      try {
        return URL.createObjectURL(await fetchFile(id, variant))
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error
        const { status } = (error.details ?? {}) as { status?: string }
        if (status !== 'scanning' && status !== 'processing') return undefined
        await new Promise((resolve) => setTimeout(resolve, patience[Math.min(n, patience.length - 1)]))
      }
    }
  }

  /** The one that was not asked for the longest goes, once there are too many. */
  const makeRoom = () => {
    const [oldest] = known
    if (oldest === undefined || known.size <= kept) return
    known.delete(oldest[0])
    void oldest[1].then((url) => url !== undefined && URL.revokeObjectURL(url)).catch(() => undefined)
  }

  return {
    /** Of an image, for as long as this page shows it. @throws ApiError */
    urlOf(id: string, variant: string): Promise<string | undefined> {
      const key = `${id}/${variant}`
      const url = known.get(key) ?? load(id, variant)
      known.delete(key)
      known.set(key, url)
      // The next one to ask tries again.
      url.catch(() => known.delete(key))
      makeRoom()
      return url
    },

    /** To the user's disk. @throws ApiError */
    async save(id: string, variant: string, name: string): Promise<void> {
      const url = URL.createObjectURL(await fetchFile(id, variant))
      Object.assign(document.createElement('a'), { href: url, download: name }).click()
      setTimeout(() => URL.revokeObjectURL(url), 60_000)
    },

    close(): void {
      for (const url of known.values())
        void url.then((one) => one !== undefined && URL.revokeObjectURL(one)).catch(() => undefined)
      known.clear()
    },
  }
}

export type Files = ReturnType<typeof createFiles>
