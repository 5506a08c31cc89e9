import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { MailOrder } from '../jobs/catalog.ts'
import { orderJson } from '../orders/json.ts'

/** The account that a mail is for, as SQL; undefined for mail to the operators. */
export const userOf = (mail: MailOrder): SQL | undefined => {
  switch (mail.template) {
    case 'orderConfirmed':
    case 'orderShipped':
    case 'orderCancelled':
      return sql`(select user_id from orders where id = ${mail.orderId})`
    case 'passwordReset':
    case 'verifyEmail':
    case 'confirmNewEmail':
    case 'emailChanged':
      return sql`(select user_id from mailed_tokens where id = ${mail.tokenId})`
    case 'passwordChanged':
    case 'accountExists':
    case 'emailChangeAsked':
    case 'reportReady':
    case 'fileInfected':
    case 'unreadMessages':
      return sql`${mail.userId}::uuid`
    case 'sessionReused':
      return sql`(select user_id from sessions where id = ${mail.sessionId})`
    case 'operatorAlert':
    case 'infectedAlert':
      return undefined
  }
}

/** Where it goes, as SQL: the address of the account `users`, but for mail about another one than it has. */
export const addressOf = (mail: MailOrder): SQL => {
  const { template } = mail
  if (template === 'verifyEmail' || template === 'confirmNewEmail') {
    return sql`(select email from mailed_tokens where id = ${mail.tokenId})`
  }
  if (template === 'emailChanged') {
    return sql`(select previous_email from mailed_tokens where id = ${mail.tokenId})`
  }
  return sql`users.email`
}

/**
 * How an account is greeted. Whoever has registered somebody else's address may have written anything in place of a
 * name: it is repeated to nobody before the address is confirmed.
 */
const name = sql`case when users.verified_at is not null then users.name end`

/** A query of one JSON value, a Letter; of none when what it is about does not exist. */
export const letterOf = (mail: MailOrder): SQL => {
  switch (mail.template) {
    case 'orderConfirmed':
    case 'orderShipped':
    case 'orderCancelled':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name}, 'order', ${orderJson})
        from orders join users on users.id = orders.user_id where orders.id = ${mail.orderId}`
    case 'reportReady':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name},
          'report', json_build_object('id', reports.id, 'from', reports.first_day, 'to', reports.last_day))
        from reports, users where reports.id = ${mail.reportId} and users.id = ${mail.userId}`
    case 'passwordReset':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name}, 'tokenId', mailed_tokens.id)
        from mailed_tokens join users on users.id = mailed_tokens.user_id where mailed_tokens.id = ${mail.tokenId}`
    case 'verifyEmail':
    case 'confirmNewEmail':
      // To an address of which nobody knows yet whose it is.
      return sql`select json_build_object('template', ${mail.template}::text, 'name', null, 'tokenId', mailed_tokens.id)
        from mailed_tokens where mailed_tokens.id = ${mail.tokenId}`
    case 'emailChanged':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name})
        from mailed_tokens join users on users.id = mailed_tokens.user_id where mailed_tokens.id = ${mail.tokenId}`
    case 'passwordChanged':
    case 'accountExists':
    case 'emailChangeAsked':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name})
        from users where users.id = ${mail.userId}`
    case 'sessionReused':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name})
        from sessions join users on users.id = sessions.user_id where sessions.id = ${mail.sessionId}`
    case 'fileInfected':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', ${name},
          'file', ${JSON.stringify(mail.file)}::json) from users where users.id = ${mail.userId}`
    case 'infectedAlert':
      return sql`select json_build_object('template', ${mail.template}::text, 'userId', ${mail.userId}::text,
          'file', ${JSON.stringify(mail.file)}::json)`
    // None when all has been read meanwhile.
    case 'unreadMessages':
      return sql`select json_build_object('template', ${mail.template}::text, 'name', max(${name}),
          'conversations', json_agg(json_build_object('id', conversations.id, 'subject', subject_type,
            'unread', message_count - read_count) order by active_at desc))
        from conversation_members as member join conversations on conversations.id = member.conversation_id
          join users on users.id = member.user_id
        where member.user_id = ${mail.userId} and left_at is null and message_count > read_count
        having count(*) > 0`
    case 'operatorAlert':
      return sql`select json_build_object('template', ${mail.template}::text,
          'job', json_build_object('id', jobs.id, 'type', jobs.type, 'failures', jobs.failures,
            'error', jobs.last_error, 'requestId', jobs.request_id, 'createdAt', ${iso('jobs.created_at')}))
        from jobs where jobs.id = ${mail.jobId}`
  }
}
