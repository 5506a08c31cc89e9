import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAndUpdated, moment } from '../db/table.ts'
import { uploads } from '../uploads/table.ts'
import { users } from '../users/table.ts'
import type { LastMessage, SubjectType } from './subject.ts'
import type { MemberRole } from './room/state.ts'

/**
 * What customer and shop talk about. Messages are in the room's own log (the object ChatRoom); here is who may enter,
 * and, for lists, a copy of how things stand there, at most a second old.
 */
export const conversations = pgTable(
  'conversations',
  {
    id: uuid('id').primaryKey(),
    customerId: uuid('customer_id')
      .notNull()
      .references(() => users.id),
    subjectType: text('subject_type').$type<SubjectType>().notNull(),
    /** An order or a product; NULL: support. */
    subjectId: uuid('subject_id'),
    /** Counts the changes of members and state. A room takes over what is newer than what it knows, never the reverse. */
    version: integer('version').notNull().default(1),
    closedAt: moment('closed_at'),
    /** The room's head of which the next four tell. */
    head: bigint('head', { mode: 'number' }).notNull().default(0),
    messageCount: bigint('message_count', { mode: 'number' }).notNull().default(0),
    lastMessage: jsonb('last_message').$type<LastMessage>(),
    /** The last message, or the beginning: what lists are sorted by. */
    activeAt: moment('active_at').notNull().defaultNow(),
    ...createdAndUpdated,
  },
  (t) => [
    unique('conversations_subject_once').on(t.customerId, t.subjectType, t.subjectId).nullsNotDistinct(),
    check('conversations_subject_type_check', sql`${t.subjectType} in ('order', 'product', 'support')`),
    check('conversations_subject_id_check', sql`(${t.subjectType} = 'support') = (${t.subjectId} is null)`),
    check('conversations_version_check', sql`${t.version} > 0`),
    check('conversations_head_check', sql`${t.head} >= ${t.messageCount} and ${t.messageCount} >= 0`),
    index('conversations_active_at_idx').on(t.activeAt, t.id),
    index('conversations_open_active_at_idx')
      .on(t.activeAt, t.id)
      .where(sql`closed_at is null`),
    index('conversations_subject_idx').on(t.subjectType, t.subjectId),
  ],
)

/** Members, and those who were: a row is never deleted, so that a late message cannot bring anyone back. */
export const conversationMembers = pgTable(
  'conversation_members',
  {
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    role: text('role').$type<MemberRole>().notNull(),
    /** The conversation's, of the change that made this row what it is. */
    version: integer('version').notNull(),
    joinedAt: moment('joined_at').notNull().defaultNow(),
    leftAt: moment('left_at'),
    /** The room's mark, and how many messages there are up to it. */
    readSeq: bigint('read_seq', { mode: 'number' }).notNull().default(0),
    readCount: bigint('read_count', { mode: 'number' }).notNull().default(0),
  },
  (t) => [
    primaryKey({ name: 'conversation_members_pk', columns: [t.conversationId, t.userId] }),
    check('conversation_members_role_check', sql`${t.role} in ('customer', 'shop')`),
    check('conversation_members_read_check', sql`${t.readSeq} >= ${t.readCount} and ${t.readCount} >= 0`),
    index('conversation_members_user_id_idx').on(t.userId, t.conversationId),
  ],
)

/** Files that members have brought into a conversation: its members may read them, its messages may show them. */
export const conversationFiles = pgTable(
  'conversation_files',
  {
    conversationId: uuid('conversation_id').notNull(),
    /** Stands against the deletion of the file. */
    uploadId: uuid('upload_id')
      .notNull()
      .references(() => uploads.id),
    /** Who brought it, its owner: nobody else may send it. */
    userId: uuid('user_id').notNull(),
    /** The conversation's, when it was last brought: the room takes over what is newer than what it knows. */
    version: integer('version').notNull(),
    attachedAt: moment('attached_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'conversation_files_pk', columns: [t.conversationId, t.uploadId] }),
    // Rows of members are never deleted: who has left has still brought it.
    foreignKey({
      name: 'conversation_files_member_fk',
      columns: [t.conversationId, t.userId],
      foreignColumns: [conversationMembers.conversationId, conversationMembers.userId],
    }),
    check('conversation_files_version_check', sql`${t.version} > 0`),
    // Whoever wants to read a file, or to delete it, asks where it is.
    index('conversation_files_upload_id_idx').on(t.uploadId, t.conversationId),
  ],
)
