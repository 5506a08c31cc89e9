import { sql } from 'drizzle-orm'
import { bigint, check, index, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { createdAndUpdated, moment } from '../db/table.ts'
import { users } from '../users/table.ts'
import type { MediaType } from './media-type.ts'
import type { ScanVerdict, UploadState, Way } from './state.ts'
import type { StoredVariants } from './variant.ts'

const states = sql.raw(`'receiving', 'scanning', 'processing', 'ready', 'infected', 'rejected', 'failed'`)

const types = sql.raw(`'image/jpeg', 'image/png', 'image/webp', 'image/gif', 'application/pdf'`)

/** A file that somebody sends, has sent, or shows. What is in R2 is served because of its row, never by its key. */
export const uploads = pgTable(
  'uploads',
  {
    id: uuid('id').primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id),
    /** The client's own id (X-Upload-Id): sent again, it names the same upload. */
    clientId: uuid('client_id'),
    /** For people; never part of a key. */
    name: text('name').notNull(),
    declaredType: text('declared_type').$type<MediaType>().notNull(),
    /** What the bytes are. */
    mediaType: text('media_type').$type<MediaType>(),
    /** Bytes that are set aside from the quota until the size is known. */
    reserved: bigint('reserved', { mode: 'number' }).notNull(),
    size: bigint('size', { mode: 'number' }),
    /** Hexadecimal; of a presigned upload what the client has said, which R2 verifies. */
    sha256: text('sha256'),
    way: text('way').$type<Way>().notNull(),
    state: text('state').$type<UploadState>().notNull().default('receiving'),
    /** While it is receiving: after this nobody is there any more. Whoever receives puts it off. */
    expiresAt: moment('expires_at'),
    /** Of the object under quarantine/, without quotes: whatever reads it demands this one. */
    etag: text('etag'),
    /** R2's id of the multipart upload that brings the bytes. */
    multipartId: text('multipart_id'),
    scan: text('scan').$type<ScanVerdict>(),
    /** What the scanner has found. */
    signature: text('signature'),
    /** Why it was rejected or has failed: a short stable code. */
    reason: text('reason'),
    variants: jsonb('variants').$type<StoredVariants>(),
    /** Variants that are there already while it is not ready: no run makes them again. */
    made: jsonb('made').$type<StoredVariants>(),
    /** The job that makes it ready. */
    jobId: uuid('job_id'),
    /** The run that holds the row, new at each attempt: fences every later write, and names its objects in R2. */
    runId: uuid('run_id'),
    ...createdAndUpdated,
  },
  (t) => [
    unique('uploads_client_id_unique').on(t.ownerId, t.clientId),
    check('uploads_name_check', sql`length(${t.name}) between 1 and 255`),
    check('uploads_declared_type_check', sql`${t.declaredType} in (${types})`),
    check('uploads_media_type_check', sql`${t.mediaType} in (${types})`),
    check('uploads_reserved_check', sql`${t.reserved} >= 0`),
    check('uploads_size_check', sql`${t.size} > 0`),
    check('uploads_sha256_check', sql`${t.sha256} ~ '^[0-9a-f]{64}$'`),
    check('uploads_way_check', sql`${t.way} in ('direct', 'presigned', 'multipart')`),
    check('uploads_state_check', sql`${t.state} in (${states})`),
    check('uploads_expires_at_check', sql`(${t.state} = 'receiving') = (${t.expiresAt} is not null)`),
    // Nothing is scanned, made or served but what is whole and known.
    check(
      'uploads_whole_check',
      sql`${t.state} not in ('scanning', 'processing', 'ready')
        or num_nulls(${t.mediaType}, ${t.size}, ${t.sha256}, ${t.etag}, ${t.jobId}) = 0`,
    ),
    check('uploads_scan_check', sql`${t.scan} in ('clean', 'skipped')`),
    check('uploads_scanned_check', sql`${t.state} not in ('processing', 'ready') or ${t.scan} is not null`),
    check('uploads_signature_check', sql`(${t.state} = 'infected') = (${t.signature} is not null)`),
    check('uploads_signature_length_check', sql`length(${t.signature}) between 1 and 255`),
    check('uploads_reason_check', sql`(${t.state} in ('rejected', 'failed')) = (${t.reason} is not null)`),
    check('uploads_reason_length_check', sql`length(${t.reason}) between 1 and 100`),
    check(
      'uploads_variants_check',
      sql`(${t.state} = 'ready') = (${t.variants} is not null) and jsonb_typeof(${t.variants}) = 'object'`,
    ),
    check(
      'uploads_made_check',
      sql`${t.made} is null or (${t.state} in ('processing', 'failed') and jsonb_typeof(${t.made}) = 'object')`,
    ),
    check('uploads_multipart_id_check', sql`length(${t.multipartId}) between 1 and 2000`),
    index('uploads_owner_created_at_idx').on(t.ownerId, t.createdAt, t.id),
    index('uploads_job_id_idx')
      .on(t.jobId)
      .where(sql`state in ('scanning', 'processing')`),
    index('uploads_expires_at_idx')
      .on(t.expiresAt)
      .where(sql`state = 'receiving'`),
  ],
)

/** Every state that an upload was ever in: written by the statement that changes it. */
export const uploadEvents = pgTable(
  'upload_events',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    uploadId: uuid('upload_id')
      .notNull()
      .references(() => uploads.id, { onDelete: 'cascade' }),
    state: text('state').$type<UploadState>().notNull(),
    /** For its owner to read. */
    detail: text('detail'),
    at: moment('at').notNull().defaultNow(),
  },
  (t) => [
    check('upload_events_state_check', sql`${t.state} in (${states})`),
    check('upload_events_detail_check', sql`length(${t.detail}) between 1 and 500`),
    index('upload_events_upload_id_idx').on(t.uploadId, t.id),
  ],
)

/** An upload whose row is gone and whose objects may not be yet: written by the statement that deletes the row. */
export const uploadRemains = pgTable(
  'upload_remains',
  {
    uploadId: uuid('upload_id').primaryKey(),
    multipartId: text('multipart_id'),
    at: moment('at').notNull().defaultNow(),
  },
  (t) => [index('upload_remains_at_idx').on(t.at)],
)
