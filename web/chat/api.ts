import { createChat } from '../../src/client/chat.ts'
import type { components } from '../../src/client/openapi.ts'
import { createClient, type Client } from '../../src/client/rest.ts'
import type { SavedSession } from '../../src/client/session.ts'

export type Conversation = components['schemas']['Conversation']
export type AttachedFile = components['schemas']['AttachedFile']
export type Upload = components['schemas']['Upload']
export type ConversationDetail = components['schemas']['ConversationDetail']

const key = 'selvedge.session'

/** The nonce alone: the refresh token is in a cookie that no script sees. All tabs share it. */
const store = {
  load(): SavedSession | undefined {
    const refreshNonce = localStorage.getItem(key)
    return refreshNonce === null ? undefined : { refreshNonce }
  },
  save(session: SavedSession | undefined): void {
    if (session === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, session.refreshNonce)
  },
}

/** Of this page's own origin. */
export const openClient = (onEnded: () => void) =>
  createClient({ url: location.origin, transport: 'cookie', store, onEnded })

export const openChat = ({ getTicket }: Client) => createChat({ url: location.origin, getTicket })
