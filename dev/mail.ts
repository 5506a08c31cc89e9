import { createEmulator } from 'emulate'

/**
 * Resend's API on a free port of this machine, and a page that shows what it took. Like Resend it takes a mail once an
 * Idempotency-Key and 24 hours. Nothing leaves the machine, the inbox ends with the process, and webhooks are not sent.
 */
export async function startMail() {
  const emulator = await createEmulator({ service: 'resend', port: 0 })
  const url = `http://127.0.0.1:${new URL(emulator.url).port}`
  return { url, inbox: `${url}/inbox`, close: () => emulator.close() }
}
