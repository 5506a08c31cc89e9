import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'

/** A row of `conversations` as the API shows it to that user. `unread` null: not a member. */
const fields = (userId: string): SQL => sql`
  'id', conversations.id, 'subject', json_build_object('type', subject_type, 'id', subject_id),
  'customer', (select json_build_object('id', users.id, 'name', users.name) from users where users.id = customer_id),
  'closed', closed_at is not null, 'closedAt', ${iso('conversations.closed_at')},
  'unread', (
    select greatest(message_count - read_count, 0) from conversation_members
    where conversation_id = conversations.id and user_id = ${userId} and left_at is null
  ),
  'lastMessage', '{"attachments": 0}'::jsonb || last_message,
  'waiting', closed_at is null and exists (
    select from conversation_members
    where conversation_id = conversations.id and role = 'customer' and user_id = (last_message ->> 'from')::uuid
  ),
  'activeAt', ${iso('conversations.active_at')}, 'createdAt', ${iso('conversations.created_at')}`

export const conversationJson = (userId: string): SQL => sql`json_build_object(${fields(userId)})`

const membersJson = sql`(
  select coalesce(json_agg(json_build_object('userId', users.id, 'name', users.name, 'role', conversation_members.role,
    'joinedAt', ${iso('joined_at')}) order by joined_at, users.id), '[]'::json)
  from conversation_members join users on users.id = user_id
  where conversation_id = conversations.id and left_at is null)`

export const conversationDetailJson = (userId: string): SQL =>
  sql`json_build_object(${fields(userId)}, 'members', ${membersJson})`

/** What a room has to know: its state, and everyone who is or was a member, each with a version. */
export const roomJson = sql`json_build_object(
  'conversation', json_build_object('id', conversations.id, 'version', version, 'closed', closed_at is not null),
  'members', (
    select coalesce(json_agg(json_build_object('userId', user_id, 'role', member.role, 'version', member.version,
      'left', left_at is not null) order by member.version, user_id), '[]'::json)
    from conversation_members as member where conversation_id = conversations.id
  ))`
