import { AppError } from '../shared/errors.ts'
import { admissionHeader, type Admission } from './attachment.ts'
import type { ConversationFile } from './conversation-file.ts'
import type { Message, System } from './protocol.ts'
import type { Membership } from './room/state.ts'

type Conversation = Admission['conversation']

export type Posted =
  | { outcome: 'posted' | 'known'; message: Message }
  | { outcome: 'closed' | 'refused' | 'notMember' }
  | { outcome: 'limited'; retryAfter: number }

export type PostRequest = {
  conversation: Conversation
  member: Membership
  clientId: string
  content: string
  attachments?: string[] | undefined
  /** Those of the attachments that PostgreSQL knows of: the room may not have heard of them yet. */
  files?: ConversationFile[] | undefined
}

export type FilesRequest = { conversation: Conversation; files: ConversationFile[] }

export type SystemPost = {
  conversation: Conversation
  clientId: string
  content: string
  system: System
  at: string
}

export type ReadRequest = { conversation: Conversation; member: Membership; seq: number }

/** The binding to ChatRoom, as far as it is used here. */
type Binding = {
  getByName: (name: string) => {
    fetch: (request: Request) => Promise<Response>
    apply: (state: { conversation: Conversation; members: Membership[] }) => Promise<void>
    post: (post: PostRequest) => Promise<Posted>
    bringFiles: (brought: FilesRequest) => Promise<void>
    releaseFiles: (brought: FilesRequest) => Promise<boolean>
    tell: (news: SystemPost) => Promise<void>
    page: (query: {
      before: number | null
      limit: number
    }) => Promise<{ messages: Message[]; hasMore: boolean }>
    read: (mark: ReadRequest) => Promise<{ delivered: number; read: number } | null>
  }
}

type Room = ReturnType<Binding['getByName']>

const isRetryable = (error: unknown): boolean =>
  error instanceof Error &&
  Reflect.get(error, 'retryable') === true &&
  Reflect.get(error, 'overloaded') !== true

export type Rooms = ReturnType<typeof createRooms>

/** Each conversation is a Durable Object named by its id. Every call may come twice: what it does is done once. */
export const createRooms = (binding: Binding) => {
  const ask = async <T>(id: string, call: (room: Room) => Promise<T>): Promise<T> => {
    try {
      return await call(binding.getByName(id)).catch(async (error: unknown) => {
        // The object has moved or was restarted by a deploy.
        if (isRetryable(error)) return await call(binding.getByName(id))
        throw error
      })
    } catch (error) {
      throw new AppError('UNAVAILABLE', 'The conversation cannot be reached', { cause: error })
    }
  }

  return {
    apply: (state: { conversation: Conversation; members: Membership[] }) =>
      ask(state.conversation.id, (room) => room.apply(state)),

    post: (post: Parameters<Room['post']>[0]) => ask(post.conversation.id, (room) => room.post(post)),

    bringFiles: (brought: FilesRequest) => ask(brought.conversation.id, (room) => room.bringFiles(brought)),

    releaseFiles: (brought: FilesRequest) =>
      ask(brought.conversation.id, (room) => room.releaseFiles(brought)),

    tell: (news: Parameters<Room['tell']>[0]) => ask(news.conversation.id, (room) => room.tell(news)),

    page: (id: string, query: { before: number | null; limit: number }) =>
      ask(id, (room) => room.page(query)),

    read: (mark: Parameters<Room['read']>[0]) => ask(mark.conversation.id, (room) => room.read(mark)),

    /** The object's answer to the upgrade of whom the Worker lets in. */
    connect: (admission: Admission): Promise<Response> =>
      ask(admission.conversation.id, (room) =>
        room.fetch(
          new Request('https://room/', {
            headers: { Upgrade: 'websocket', [admissionHeader]: JSON.stringify(admission) },
          }),
        ),
      ),
  }
}
