import { newId } from '../shared/ids.ts'
import type { Quota } from './quota.ts'
import { withFiles } from './room/log.ts'
import { memberOf, type Membership } from './room/state.ts'
import type { FilesRequest, Posted, PostRequest, ReadRequest, SystemPost } from './rooms.ts'
import type { Runner } from './runner.ts'
import type { RoomStore } from './store.ts'

type Deps = {
  room: Pick<Runner, 'run' | 'state'>
  store: RoomStore
  quota: Quota
  kv: Pick<SyncKvStorage, 'get' | 'put'>
}

/** What REST and jobs ask of a room. Each brings what PostgreSQL knows, so that a room need not ask. */
export const createCalls = ({ room, store, quota, kv }: Deps) => {
  /** Members and state as PostgreSQL has them at that version; what is known to be newer stays. */
  const know = (
    { id, version, closed }: PostRequest['conversation'],
    members: readonly Membership[],
  ): void => {
    if (kv.get('conversation') === undefined) kv.put('conversation', id)
    room.run({ type: 'applied', version, closed, members, at: new Date().toISOString(), newId: newId() })
  }

  return {
    know,

    post({ conversation, member, clientId, content, attachments = [], files = [] }: PostRequest): Posted {
      know(conversation, [member])
      store.files.bring(files)
      const from = member.userId
      if (memberOf(room.state(), from) === undefined) return { outcome: 'notMember' }
      const known = store.findSent(from, clientId)
      if (known !== undefined) return { outcome: 'known', message: known }
      if (room.state().closed.is) return { outcome: 'closed' }
      const found = store.files.find(from, attachments)
      if (found === null) return { outcome: 'refused' }
      const retryAfter = quota.take(from, Date.now())
      if (retryAfter > 0) return { outcome: 'limited', retryAfter }
      const post = { id: newId(), from, clientId, at: new Date().toISOString(), content, ...withFiles(found) }
      room.run({ type: 'posted', post })
      return { outcome: 'posted', message: { seq: room.state().head, ...post } }
    },

    bringFiles({ conversation, files }: FilesRequest): void {
      know(conversation, [])
      store.files.bring(files)
    },

    /** Their owner takes them out; false, and all stay, when a message shows one of them. */
    releaseFiles({ conversation, files }: FilesRequest): boolean {
      know(conversation, [])
      store.files.bring(files)
      return store.files.release(files.map(({ file }) => file.id))
    },

    tell({ conversation, ...post }: SystemPost): void {
      know(conversation, [])
      if (store.findSent(null, post.clientId) !== undefined) return
      room.run({ type: 'posted', post: { id: newId(), from: null, ...post } })
    },

    read({ conversation, member, seq }: ReadRequest): { delivered: number; read: number } | null {
      know(conversation, [member])
      room.run({ type: 'read', userId: member.userId, seq })
      const now = memberOf(room.state(), member.userId)
      return now === undefined ? null : { delivered: now.delivered, read: now.read }
    },
  }
}
