// What `selvedge/client` is: the one place that a package's entry needs.
export { ApiError, type ApiErrorCode } from './api-error.ts'
export { createChat, type Chat, type ChatOptions } from './chat.ts'
export { ChatError, type ChatErrorCode } from './chat-error.ts'
export type { components, operations, paths } from './openapi.ts'
export { createClient, type Client, type ClientOptions } from './rest.ts'
export type { Room, SendOptions } from './room.ts'
export type {
  AttachedFile,
  MessageState,
  Presence,
  RoomEvent,
  RoomMessage,
  RoomStatus,
  RoomView,
  Sent,
} from './room-types.ts'
export { memoryStore, type Credentials, type SavedSession, type SessionStore, type User } from './session.ts'
