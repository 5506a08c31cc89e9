import type { Letter, RenderedLetter } from '../letter.ts'
import { accountLetter } from './account.tsx'
import { fileInfectedLetter, infectedAlertLetter } from './infected.tsx'
import { operatorAlertLetter } from './operator-alert.tsx'
import { orderLetter } from './order.tsx'
import { reportReadyLetter } from './report-ready.tsx'
import { unreadMessagesLetter } from './unread-messages.tsx'

/**
 * `appUrl` is where customers and administrators use the shop, without a slash at its end; `tokenOf` derives the token of
 * a link.
 */
export const renderLetter = (
  letter: Letter,
  appUrl: string,
  tokenOf: (tokenId: string) => string,
): RenderedLetter => {
  switch (letter.template) {
    case 'orderConfirmed':
    case 'orderShipped':
    case 'orderCancelled':
      return orderLetter({ ...letter, link: `${appUrl}/orders/${letter.order.id}` })
    case 'reportReady':
      return reportReadyLetter({ ...letter, link: `${appUrl}/admin/reports/${letter.report.id}` })
    case 'passwordReset':
      // In the fragment: it reaches no server's log, and no page that this one links to.
      return accountLetter({ ...letter, link: `${appUrl}/reset-password#token=${tokenOf(letter.tokenId)}` })
    case 'verifyEmail':
    case 'confirmNewEmail':
      return accountLetter({ ...letter, link: `${appUrl}/verify-email#token=${tokenOf(letter.tokenId)}` })
    case 'accountExists':
    case 'emailChangeAsked':
      return accountLetter({ ...letter, link: `${appUrl}/forgot-password` })
    case 'passwordChanged':
    case 'emailChanged':
    case 'sessionReused':
      return accountLetter({ ...letter, link: `${appUrl}/account/sessions` })
    case 'fileInfected':
      return fileInfectedLetter({ ...letter, link: `${appUrl}/account/sessions` })
    case 'infectedAlert':
      return infectedAlertLetter({ ...letter, link: `${appUrl}/admin/uploads/${letter.file.id}` })
    case 'unreadMessages':
      return unreadMessagesLetter({ ...letter, link: `${appUrl}/conversations` })
    case 'operatorAlert':
      return operatorAlertLetter({ ...letter, link: `${appUrl}/admin/jobs/${letter.job.id}` })
  }
}
