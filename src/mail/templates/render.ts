import type { Letter, RenderedLetter } from '../letter.ts'
import { accountLetter } from './account.tsx'
import { operatorAlertLetter } from './operator-alert.tsx'
import { orderLetter } from './order.tsx'
import { reportReadyLetter } from './report-ready.tsx'

/** `appUrl` is where customers and administrators use the shop, without a slash at its end. */
export const renderLetter = (letter: Letter, appUrl: string): RenderedLetter => {
  switch (letter.template) {
    case 'orderConfirmed':
    case 'orderShipped':
    case 'orderCancelled':
      return orderLetter({ ...letter, link: `${appUrl}/orders/${letter.order.id}` })
    case 'reportReady':
      return reportReadyLetter({ ...letter, link: `${appUrl}/admin/reports/${letter.report.id}` })
    case 'sessionReused':
      return accountLetter({ ...letter, link: `${appUrl}/account/sessions` })
    case 'operatorAlert':
      return operatorAlertLetter({ ...letter, link: `${appUrl}/admin/jobs/${letter.job.id}` })
  }
}
