import { and, eq, isNull, sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseIf, raiseWhen } from '../db/raise.ts'
import { withinReach } from '../db/within-reach.ts'
import type { Actor } from '../shared/actor.ts'
import { can, reachOf, rolesThatMay } from '../shared/can.ts'
import { offsetOf } from '../shared/page.ts'
import { isMember, lock, reachable, tellRoom, thisMoment, type Sync } from './conversation-statements.ts'
import { among, filesOf, releaseFiles } from './file-statements.ts'
import { conversationDetailJson, conversationJson, roomJson } from './json.ts'
import type { ConversationFile, Released } from './conversation-file.ts'
import type { Message } from './protocol.ts'
import type { Membership, RoomState } from './room/state.ts'
import type { Conversation, ConversationDetail, ListConversations, Subject } from './schema.ts'
import { maxMembers, previewLength } from './subject.ts'
import { conversations } from './table.ts'

export type Changed = { detail: ConversationDetail; room: RoomState; changed: boolean }

export type Access = {
  conversation: RoomState['conversation']
  member: Membership | null
  /** Those that were asked for, as far as the actor has brought them. */
  files: ConversationFile[]
}

/** What PostgreSQL keeps of a room for its lists. */
export type News = {
  conversationId: string
  head: number
  messages: number
  last: Message | undefined
  /** Who has read further than PostgreSQL knows: to which place, and the number of the message there. */
  reads: { userId: string; read: number; count: number }[]
  /** Files that no message shows any more. */
  released: readonly Released[]
}

/** News of an order for its conversation, oldest first. */
export type OrderNews = { room: RoomState['conversation']; statuses: { status: string; at: string }[] }

const isSame = (customer: SQL, { type, id }: Subject): SQL =>
  sql`customer_id = ${customer} and subject_type = ${type} and subject_id is not distinct from ${id ?? null}::uuid`

const detailOf = (actor: Actor, which: SQL): SQL =>
  sql`select json_build_object('detail', ${conversationDetailJson(actor.id)}, 'room', ${roomJson},
    'changed', updated_at = ${thisMoment}) as data from conversations where ${which}`

/** Whom the conversation is with: an administrator opens one about somebody's order. */
const customerOf = (actor: Actor, { type, id }: Subject): SQL =>
  type === 'order'
    ? sql`(select user_id from orders where orders.id = ${id ?? null}::uuid)`
    : sql`${actor.id}::uuid`

const refuseForeignSubject = (actor: Actor, subject: Subject): SQL | undefined => {
  const { type, id } = subject
  if (type === 'support') return undefined
  if (type === 'order') {
    const isVisible = withinReach(actor, 'conversations.open', sql`user_id = ${actor.id}`)
    return raiseWhen(
      'NOT_FOUND',
      sql`not exists (select from orders where id = ${id ?? null}::uuid and ${isVisible})`,
    )
  }
  return raiseWhen(
    'NOT_FOUND',
    sql`not exists (select from products where id = ${id ?? null}::uuid and archived_at is null)
      and not exists (select from conversations where ${isSame(customerOf(actor, subject), subject)})`,
  )
}

/** `wanted` is a query of user_id and role: those who are no members become members, with the conversation's next version. */
const join = (which: SQL, wanted: SQL, reopens: boolean): SQL => sql`
  with target as (select * from conversations where ${which}),
  missing as (
    select wanted.user_id, wanted.role from target cross join (${wanted}) as wanted (user_id, role)
    left join conversation_members as known on known.conversation_id = target.id and known.user_id = wanted.user_id
    where known.user_id is null or known.left_at is not null
  ),
  changed as (
    update conversations set version = conversations.version + 1, updated_at = now(),
      closed_at = ${reopens ? sql`null` : sql`conversations.closed_at`}
    from target where conversations.id = target.id
      and (exists (select from missing) ${reopens ? sql`or target.closed_at is not null` : sql``})
    returning conversations.id, conversations.version
  )
  insert into conversation_members (conversation_id, user_id, role, version)
  select changed.id, missing.user_id, missing.role, changed.version from changed cross join missing
  on conflict (conversation_id, user_id)
  do update set role = excluded.role, version = excluded.version, joined_at = now(), left_at = null`

export type ConversationRepository = ReturnType<typeof createConversationRepository>

export const createConversationRepository = ({ read, write }: Database) => {
  const changeOf = (rows: { rows: Record<string, unknown>[] }): Changed | undefined =>
    dataOf<Changed>(rows)[0]

  return {
    /** Finds, makes, or opens again; whoever asks is a member then. @throws NOT_FOUND */
    async open(actor: Actor, id: string, subject: Subject, sync: Sync): Promise<Changed | undefined> {
      const customer = customerOf(actor, subject)
      const which = isSame(customer, subject)
      const role = sql`case when ${customer} = ${actor.id}::uuid then 'customer' else 'shop' end`
      // A customer who has left comes back by themselves, or is brought back by name.
      const wanted = sql`select ${actor.id}::uuid, ${role}
        union all
        select ${customer}, 'customer' where ${customer} <> ${actor.id}::uuid and not exists (
          select from conversation_members join conversations on conversations.id = conversation_id
          where ${which} and user_id = ${customer}
        )`
      const [, , , , , , rows] = await write([
        actorGuard(actor),
        refuseForeignSubject(actor, subject),
        sql`insert into conversations (id, customer_id, subject_type, subject_id)
          values (${id}, ${customer}, ${subject.type}, ${subject.id ?? null}::uuid)
          on conflict on constraint conversations_subject_once do nothing`,
        lock(which),
        join(which, wanted, true),
        tellRoom(which, sync),
        detailOf(actor, which),
      ])
      return changeOf(rows)
    },

    async list(actor: Actor, { scope, status, ...query }: ListConversations) {
      const where = and(
        scope === 'all' ? undefined : isMember(actor),
        status === 'open' ? isNull(conversations.closedAt) : undefined,
        status === 'closed' ? sql`closed_at is not null` : undefined,
      )
      const [, counted, rows] = await read([
        actorGuard(actor),
        countUpTo(conversations, where),
        pageOf({
          table: conversations,
          json: conversationJson(actor.id),
          where,
          order: [sql`active_at desc`, sql`id desc`],
          limit: query.limit,
          offset: offsetOf(query),
        }),
      ])
      return { data: dataOf<Conversation>(rows), counted: countOf(counted) }
    },

    async find(actor: Actor, id: string): Promise<ConversationDetail | undefined> {
      const [, rows] = await read([
        actorGuard(actor),
        sql`select ${conversationDetailJson(actor.id)} as data from conversations
          where ${and(eq(conversations.id, id), reachable(actor, 'conversations.read'))}`,
      ])
      return dataOf<ConversationDetail>(rows)[0]
    },

    /** Whether the actor may see it, and as what; one who is none of the shop's any more is nobody there. */
    async access(actor: Actor, id: string, fileIds: readonly string[] = []): Promise<Access | undefined> {
      const [, rows] = await read([
        actorGuard(actor),
        sql`select json_build_object(
            'conversation', json_build_object('id', conversations.id, 'version', conversations.version,
              'closed', closed_at is not null),
            'member', (
              select json_build_object('userId', user_id, 'role', member.role, 'version', member.version, 'left', false)
              from conversation_members as member
              where conversation_id = conversations.id and user_id = ${actor.id} and left_at is null
                and (member.role <> 'shop' or ${can(actor, 'conversations.serve')}::boolean)
            ),
            'files', ${fileIds.length === 0 ? sql`'[]'::json` : filesOf(id, sql`user_id = ${actor.id} and ${among(fileIds)}`)}
            ) as data
          from conversations where ${and(eq(conversations.id, id), reachable(actor, 'conversations.read'))}`,
      ])
      const [access] = dataOf<Access>(rows)
      const seesAll = reachOf(actor, 'conversations.read') === 'any'
      return access?.member === null && !seesAll ? undefined : access
    },

    /** @throws NOT_FOUND, VALIDATION_FAILED, CONVERSATION_FULL */
    async addMember(actor: Actor, id: string, userId: string, sync: Sync): Promise<Changed | undefined> {
      const which = sql`conversations.id = ${id}`
      const [, , , , , , , rows] = await write([
        actorGuard(actor),
        lock(which),
        raiseWhen('NOT_FOUND', sql`not exists (select from conversations where ${which})`),
        raiseIf(
          'VALIDATION_FAILED',
          sql`select json_build_array(json_build_object('field', 'userId', 'message', 'unknown user'))
            where not exists (select from users where id = ${userId} and deleted_at is null)`,
        ),
        raiseWhen(
          'CONVERSATION_FULL',
          sql`(select count(*) from conversation_members
            where conversation_id = ${id} and left_at is null and user_id <> ${userId}) >= ${maxMembers}::int`,
        ),
        join(
          which,
          sql`select id, case when role in ${rolesThatMay('conversations.serve')} and id <> (select customer_id from target) then 'shop' else 'customer' end
            from users where id = ${userId}`,
          false,
        ),
        tellRoom(which, sync),
        detailOf(actor, which),
      ])
      return changeOf(rows)
    },

    /** Undefined when that user is no member, or the conversation not the actor's. */
    async removeMember(actor: Actor, id: string, userId: string, sync: Sync): Promise<RoomState | undefined> {
      const which =
        and(
          eq(conversations.id, id),
          reachable(actor, userId === actor.id ? 'conversations.leave' : 'conversations.removeMember'),
        ) ?? sql`false`
      const [, , { rowCount }, , rows] = await write([
        actorGuard(actor),
        lock(which),
        sql`with changed as (
            update conversations set version = version + 1, updated_at = now()
            where ${which} and exists (
              select from conversation_members as member
              where member.conversation_id = conversations.id and member.user_id = ${userId} and member.left_at is null
            ) returning id, version
          )
          update conversation_members set left_at = now(), version = changed.version
          from changed where conversation_id = changed.id and user_id = ${userId}`,
        tellRoom(sql`conversations.id = ${id}`, sync),
        sql`select ${roomJson} as data from conversations where id = ${id}`,
      ])
      return rowCount === 1 ? dataOf<RoomState>(rows)[0] : undefined
    },

    /** Closing again changes nothing. */
    async close(actor: Actor, id: string, sync: Sync): Promise<Changed | undefined> {
      const which = and(eq(conversations.id, id), reachable(actor, 'conversations.close')) ?? sql`false`
      const [, , , rows] = await write([
        actorGuard(actor),
        sql`update conversations set version = version + 1, closed_at = now(), updated_at = now()
          where ${which} and closed_at is null`,
        tellRoom(sql`conversations.id = ${id}`, sync),
        detailOf(actor, which),
      ])
      return changeOf(rows)
    },

    async room(id: string): Promise<RoomState | undefined> {
      const [rows] = await read([sql`select ${roomJson} as data from conversations where id = ${id}`])
      return dataOf<RoomState>(rows)[0]
    },

    /** The order's conversation, and the statuses that it entered since that began. */
    async orderNews(orderId: string): Promise<OrderNews | undefined> {
      const [rows] = await read([
        sql`select json_build_object(
            'room', json_build_object('id', conversations.id, 'version', version, 'closed', closed_at is not null),
            'statuses', (
              select coalesce(json_agg(json_build_object('status', to_status,
                'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by id), '[]'::json)
              from order_status_history where order_id = ${orderId} and at >= conversations.created_at
                and from_status is not null
            )) as data
          from conversations where subject_type = 'order' and subject_id = ${orderId}`,
      ])
      return dataOf<OrderNews>(rows)[0]
    },

    /** What a room tells of itself. Never back: two of them may come in any order. */
    async publish({ conversationId, head, messages, last, reads, released }: News): Promise<void> {
      const preview = last && {
        id: last.id,
        seq: last.seq,
        from: last.from,
        at: last.at,
        content: last.content.slice(0, previewLength).toWellFormed(),
        attachments: last.attachments?.length ?? 0,
      }
      await write([
        sql`update conversations set head = ${head}, message_count = ${messages},
            last_message = ${preview === undefined ? null : JSON.stringify(preview)}::jsonb,
            active_at = coalesce(${last?.at ?? null}::timestamptz, created_at)
          where id = ${conversationId} and head < ${head}`,
        reads.length === 0
          ? undefined
          : sql`update conversation_members set read_seq = mark.read, read_count = mark.count
              from json_to_recordset(${JSON.stringify(reads)}::json) as mark("userId" uuid, read bigint, count bigint)
              where conversation_id = ${conversationId} and user_id = mark."userId" and read_seq < mark.read`,
        released.length === 0 ? undefined : releaseFiles(conversationId, released),
      ])
    },
  }
}
