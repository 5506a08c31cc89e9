import type { Letter, OrderTemplate, TemplateName } from './letter.ts'

const orderId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14'
const userId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12'
const productId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11'
const placedAt = '2026-11-20T12:00:00.000Z'

const order = (template: OrderTemplate): Letter => ({
  template,
  name: 'Ada Byron',
  order: {
    id: orderId,
    userId,
    status: template === 'orderCancelled' ? 'cancelled' : 'paid',
    total: '1245.75',
    items: [
      { productId, name: 'Linen tablecloth, undyed, 160 × 240 cm', quantity: 2, unitPrice: '79.90' },
      { productId, name: 'Waffle towel', quantity: 6, unitPrice: '18.50' },
      { productId, name: 'Handwoven blanket <Fjällräven & Søn>', quantity: 1, unitPrice: '974.95' },
    ],
    createdAt: placedAt,
    updatedAt: placedAt,
  },
})

const infected = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17',
  name: 'invoice & receipt of the linen tablecloths that you ordered on 20 November 2026.pdf',
  found: 'Win.Test.EICAR_HDB-1',
}

/** A letter of each template, for the preview. */
export const samples: Record<TemplateName, Letter> = {
  orderConfirmed: order('orderConfirmed'),
  orderShipped: order('orderShipped'),
  orderCancelled: order('orderCancelled'),
  reportReady: {
    template: 'reportReady',
    name: 'Grace Hopper',
    report: { id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f16', from: '2026-11-01', to: '2026-11-19' },
  },
  passwordReset: { template: 'passwordReset', name: 'Ada Byron', tokenId: orderId },
  verifyEmail: { template: 'verifyEmail', name: null, tokenId: orderId },
  accountExists: { template: 'accountExists', name: 'Ada Byron' },
  confirmNewEmail: { template: 'confirmNewEmail', name: null, tokenId: orderId },
  emailChangeAsked: { template: 'emailChangeAsked', name: 'Ada Byron' },
  emailChanged: { template: 'emailChanged', name: 'Ada Byron' },
  passwordChanged: { template: 'passwordChanged', name: 'Ada Byron' },
  sessionReused: { template: 'sessionReused', name: 'Ada Byron' },
  unreadMessages: {
    template: 'unreadMessages',
    name: 'Ada Byron',
    conversations: [
      { id: orderId, subject: 'order', unread: 3 },
      { id: userId, subject: 'support', unread: 1 },
    ],
  },
  operatorAlert: {
    template: 'operatorAlert',
    job: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f15',
      type: 'report.build',
      failures: 3,
      error: 'The database did not answer within 10000 ms',
      requestId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f10',
      createdAt: placedAt,
    },
  },
  fileInfected: { template: 'fileInfected', name: 'Ada Byron', file: infected },
  infectedAlert: { template: 'infectedAlert', userId: orderId, file: infected },
}

export const templateNames = Object.keys(samples) as TemplateName[]
