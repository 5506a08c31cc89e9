import { Webhook, WebhookVerificationError } from 'standardwebhooks'

/** A message of a webhook as it came: the body's text, byte for byte. */
export type SignedMessage = {
  id: string | undefined
  timestamp: string | undefined
  signature: string | undefined
  body: string
}

/**
 * True when one of the message's signatures is ours and its time is at most five minutes off, compared in constant time.
 * `secret` is `whsec_` and base64. https://www.standardwebhooks.com
 */
export const isAuthentic = (secret: string, { id, timestamp, signature, body }: SignedMessage): boolean => {
  // The library reads a timestamp by its leading digits; the provider signs nothing but digits.
  if (id === undefined || signature === undefined || !/^\d{1,15}$/.test(timestamp ?? '')) return false
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signature,
  }
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}
