import type { Actor } from '../../shared/actor.ts'
import type { ByteRange } from '../../shared/byte-range.ts'
import { can } from '../../shared/can.ts'
import { AppError, invalid } from '../../shared/errors.ts'
import { renamed } from '../../shared/file-name.ts'
import type { Logger } from '../../shared/logger.ts'
import type { FileRepository, FoundFile } from '../file-repository.ts'
import type { LinkQuery, SignedLinks } from '../signed-link.ts'
import type { UploadStore } from '../store.ts'
import type { VariantName } from '../variant.ts'

type Target = { id: string; variant: VariantName }

type Deps = {
  files: FileRepository
  store: Pick<UploadStore, 'read'>
  links: SignedLinks
  log: Logger
  now?: () => Date
}

/** An absent file and one that is not for you are the same; no cache keeps that it was so. */
const absent = (): AppError =>
  new AppError('NOT_FOUND', 'File not found', { headers: { 'Cache-Control': 'no-store' } })

/** A PDF can hold what a reader of PDF would run; a WebP image that we have made cannot. */
const dispositionOf = (type: string) => (type === 'application/pdf' ? 'attachment' : 'inline')

/** The full image, or the PDF, has the name that it came with; smaller ones tell that they are. */
const nameOf = (name: string, variant: string, type: string): string => {
  if (type === 'application/pdf') return renamed(name, 'pdf')
  return renamed(name, 'webp', variant === 'full' ? '' : `-${variant}`)
}

export const createFileService = ({ files, store, links, log, now = () => new Date() }: Deps) => {
  /** @throws FILE_NOT_READY for whoever sees the upload already */
  const ready = ({ status, variant, ...rest }: FoundFile) => {
    if (status !== 'ready') {
      throw new AppError('FILE_NOT_READY', 'The file is not ready', {
        details: { status },
        headers: { 'Cache-Control': 'no-store' },
      })
    }
    return { ...rest, variant }
  }

  const audienceOf = (hasLink: boolean, isPublic: boolean) => {
    if (isPublic) return 'everyone'
    return hasLink ? 'link' : 'actor'
  }

  return {
    /**
     * A file to be sent. A link is all that counts where there is one: a bad one is not made good by other rights.
     * @throws NOT_FOUND, FILE_NOT_READY
     */
    async open(actor: Actor | undefined, target: Target, link: Partial<LinkQuery>) {
      const { expires = '', signature = '' } = link
      const hasLink = link.expires !== undefined || link.signature !== undefined
      if (hasLink && !links.opens(target, { expires, signature }, now())) throw absent()
      const found = await files.find(actor, target, hasLink)
      if (found === undefined) throw absent()
      const { name, isPublic, updatedAt, variant } = ready(found)
      if (variant === null) throw absent()
      const { key, type, size, etag } = variant
      return {
        name: nameOf(name, target.variant, type),
        disposition: dispositionOf(type),
        audience: audienceOf(hasLink, isPublic),
        type,
        size,
        etag,
        modifiedAt: new Date(updatedAt),
        async open(range?: ByteRange): Promise<ReadableStream> {
          const stream = await store.read(key, etag, range)
          if (stream !== undefined) return stream
          // Deleted since the row was read, or lost.
          log.warn('the store lacks a file', { key })
          throw absent()
        },
      } as const
    },

    /**
     * What opens a variant for whoever has it; for the owner and administrators to give away.
     * @throws NOT_FOUND, FILE_NOT_READY, VALIDATION_FAILED
     */
    async link(actor: Actor, { id, variant }: Target, seconds: number) {
      const found = await files.find(actor, { id, variant }, false)
      if (found === undefined || !can(actor, 'uploads.share', found)) throw absent()
      if (ready(found).variant === null) throw invalid({ field: 'variant', message: 'this file has none' })
      const expiresAt = new Date(Math.floor(now().getTime() / 1_000 + seconds) * 1_000)
      const query = links.sign({ id: found.id, variant }, expiresAt)
      const path = `/api/v1/files/${found.id}/${variant}?${new URLSearchParams(query).toString()}`
      return { path, expiresAt: expiresAt.toISOString() }
    },
  }
}
