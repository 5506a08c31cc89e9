import type { Alert } from './catalog.ts'

/** Milliseconds that the operators' chat has to answer. */
const patience = 10_000

/** Texts of others could call a whole channel (`<!channel>`): https://docs.slack.dev/messaging/formatting-message-text */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Slack's JSON shape, which Mattermost, Discord (`/slack`) and others read too. */
const textOf = (alert: Alert): string => {
  if ('infected' in alert) {
    return `:biohazard_sign: Upload \`${alert.infected}\` of account \`${alert.ownerId}\` was infected and is deleted: ${escaped(alert.found)}`
  }
  if ('waiting' in alert) {
    return `:hourglass: Jobs of type ${escaped(alert.waiting)} wait since ${alert.since}: ${escaped(alert.error)}`
  }
  const { jobId, type, failures, error } = alert
  return `:skull: Job \`${jobId}\` (${escaped(type)}) is dead after ${failures === 1 ? 'one failure' : `${failures} failures`}: ${escaped(error ?? 'no reason')}`
}

/** Tells the operators at `url`; without one there is nobody to tell. @throws what makes the job try again */
export const createWebhook =
  (url: string | undefined) =>
  async (alert: Alert, signal: AbortSignal): Promise<void> => {
    if (url === undefined) return
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text: textOf(alert) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    }).catch((cause: unknown) => {
      throw new Error('The webhook of OPS_WEBHOOK_URL could not be reached', { cause })
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`The webhook answered ${response.status}`)
  }
