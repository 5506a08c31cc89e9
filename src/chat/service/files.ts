import type { JobHandlers } from '../../jobs/catalog.ts'
import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Origin } from '../../jobs/outbox.ts'
import type { Actor } from '../../shared/actor.ts'
import { AppError, found } from '../../shared/errors.ts'
import type { ConversationFile } from '../conversation-file.ts'
import type { ConversationFileRepository } from '../file-repository.ts'
import type { AttachedFile } from '../protocol.ts'
import { notJoined } from '../refusals.ts'
import type { ConversationRepository } from '../repository.ts'
import type { Rooms } from '../rooms.ts'

type Deps = {
  files: ConversationFileRepository
  conversations: Pick<ConversationRepository, 'access'>
  rooms: Rooms
  dispatcher: Pick<Dispatcher, 'send'>
  newId: () => string
  origin: Origin
}

/**
 * Files that members bring into a conversation, to be sent in its messages. PostgreSQL knows which, and thereby who may
 * read them; the room knows which of them messages show.
 */
export const createConversationFileService = ({
  files,
  conversations,
  rooms,
  dispatcher,
  newId,
  origin,
}: Deps) => {
  const tellFiles: JobHandlers['chat.files'] = async ({ conversationId, version }) => {
    const shared = await files.broughtWith(conversationId, version)
    if (shared !== undefined && shared.files.length > 0) await rooms.bringFiles(shared)
  }

  return {
    /**
     * In the order in which they were named. Once this is answered the room takes messages with them; when it cannot be
     * reached we say so, and the job of the transaction tells it.
     */
    async add(actor: Actor, id: string, uploadIds: readonly string[]): Promise<AttachedFile[]> {
      const sync = { id: newId(), origin }
      const shared = await files.add(actor, id, uploadIds, sync)
      if (shared === false) throw notJoined()
      dispatcher.send([sync])
      await rooms.bringFiles(shared)
      const byId = new Map(shared.files.map(({ file }): [string, AttachedFile] => [file.id, file]))
      return uploadIds.flatMap((one) => byId.get(one) ?? [])
    },

    /** Takes out what the actor has brought and no message shows. The room is asked first: it knows of messages. */
    async remove(actor: Actor, id: string, uploadId: string): Promise<void> {
      const {
        conversation,
        member,
        files: own,
      } = found('Conversation', await conversations.access(actor, id, [uploadId]))
      if (member === null) throw notJoined()
      const brought: ConversationFile = found('File', own[0])
      if (!(await rooms.releaseFiles({ conversation, files: [brought] }))) {
        throw new AppError('FILE_IN_USE', 'A message shows this file')
      }
      await files.release(id, [{ id: brought.file.id, version: brought.version }])
    },

    tellFiles,
  }
}
