/**
 * Where a delivery can stand, in the order in which it may move: only ever to a later one. The provider's events arrive
 * unordered, so `sent` after `delivered` changes nothing; a bounce or a complaint may follow a delivery and outranks it.
 */
export const deliveryStatuses = [
  /** Mail is switched off by configuration. */
  'off',
  /** The account is deleted, or nobody is configured to receive it. */
  'no_recipient',
  /** The address bounced or complained before. */
  'suppressed',
  'sending',
  /** The provider does not take this mail, however often it is tried. */
  'refused',
  'sent',
  'delayed',
  'failed',
  'delivered',
  'bounced',
  'complained',
] as const

export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** From which statuses a delivery may come to this one. */
export const before = (status: DeliveryStatus): DeliveryStatus[] =>
  deliveryStatuses.slice(0, deliveryStatuses.indexOf(status))

/** Those that leave a mail to be sent: the job may be tried again, or mail be switched on. */
export const unsent: DeliveryStatus[] = before('sent')

/** What the provider's events say of a mail; we listen to no other types. */
export const eventStatuses = {
  'email.sent': 'sent',
  'email.delivery_delayed': 'delayed',
  'email.failed': 'failed',
  'email.delivered': 'delivered',
  'email.bounced': 'bounced',
  'email.complained': 'complained',
} as const satisfies Record<string, DeliveryStatus>

export type EventType = keyof typeof eventStatuses

export const eventTypes = Object.keys(eventStatuses) as EventType[]
