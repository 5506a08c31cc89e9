export { ApiKey } from '../src/api-keys/api-key.do.ts'
export { ChatRoom } from '../src/chat/chat-room.do.ts'
export { Inbox } from '../src/inbox/inbox.do.ts'
export { SlidingWindow } from '../src/limits/sliding-window.do.ts'
