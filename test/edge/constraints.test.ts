import { NeonDbError } from '@neondatabase/serverless'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { insert, sql } from '../support/edge-sql.ts'

const [
  userId,
  categoryId,
  productId,
  otherProductId,
  orderId,
  sessionId,
  jobId,
  auditId,
  reportId,
  uploadId,
  otherUploadId,
  keyId,
  conversationId,
  otherConversationId,
] = Array.from({ length: 14 }, newId)
const now = '2026-11-20T12:00:00.000Z'
const times = { created_at: now, updated_at: now }

const newHash = () => String.raw`\x${newId().replaceAll('-', '').repeat(2)}`

/** A row of each table that the database takes. */
const good = {
  users: () => ({
    ...{
      plan: 'free',
      id: newId(),
      name: 'Ada Byron',
      email: `${newId()}@people.example`,
      password_hash: 'x',
      role: 'user',
    },
    ...times,
  }),
  sessions: () => ({
    ...{ id: newId(), user_id: userId, created_at: now, last_used_at: now },
    expires_at: '2026-12-20T12:00:00.000Z',
  }),
  refresh_tokens: () => ({
    ...{ token_hash: newHash(), session_id: sessionId, created_at: now, spent_at: now },
    successor_hash: newHash(),
  }),
  mailed_tokens: () => ({
    ...{ id: newId(), user_id: userId, purpose: 'resetPassword', token_hash: newHash() },
    ...{ created_at: now, expires_at: '2026-11-20T12:30:00.000Z' },
  }),
  api_keys: () => ({
    ...{ id: newId(), user_id: userId, name: 'Warehouse', scopes: ['orders:read'], role: 'user' },
    ...{ secret_hash: newHash(), previous_hash: newHash(), previous_until: now, created_at: now },
    expires_at: '2026-12-20T12:00:00.000Z',
  }),
  api_key_usage: () => ({ key_id: keyId, day: '2026-11-20', requests: 1 }),
  categories: () => ({ id: newId(), name: 'Linen', slug: `c-${newId()}`, ...times }),
  products: () => ({
    ...{ id: newId(), name: 'Towel', slug: `p-${newId()}`, description: '', price: '1.00', stock: 1 },
    ...{ category_id: categoryId, ...times },
  }),
  orders: () => ({ id: newId(), user_id: userId, status: 'pending', total: '1.00', ...times }),
  order_items: () => ({
    ...{ order_id: orderId, position: 1, product_id: otherProductId, name: 'Towel', quantity: 1 },
    unit_price: '1.00',
  }),
  order_status_history: () => ({
    ...{ order_id: orderId, actor_id: userId, from_status: 'pending', to_status: 'paid', at: now },
  }),
  stock_movements: () => ({ product_id: productId, delta: 1, reason: 'x', order_id: null, at: now }),
  conversations: () => ({
    ...{ id: newId(), customer_id: userId, subject_type: 'product', subject_id: newId(), version: 1 },
    ...{ head: 2, message_count: 1, active_at: now, ...times },
  }),
  conversation_members: () => ({
    ...{ conversation_id: otherConversationId, user_id: userId, role: 'customer', version: 1 },
    ...{ joined_at: now, read_seq: 2, read_count: 1 },
  }),
  reports: () => ({
    ...{ id: newId(), first_day: '2026-11-19', last_day: '2026-11-19', current: false, job_id: newId() },
    ...{ status: 'pending', progress: 0, requested_by: userId, created_at: now },
  }),
  uploads: () => ({
    ...{
      id: newId(),
      owner_id: userId,
      name: 'a.png',
      declared_type: 'image/png',
      reserved: 1,
      way: 'direct',
    },
    ...{ state: 'receiving', expires_at: now, ...times },
  }),
  product_images: () => ({ product_id: otherProductId, position: 1, upload_id: uploadId }),
  conversation_files: () => ({
    ...{ conversation_id: conversationId, upload_id: otherUploadId, user_id: userId, version: 1 },
    attached_at: now,
  }),
  upload_events: () => ({ upload_id: uploadId, state: 'receiving', at: now }),
  upload_remains: () => ({ upload_id: newId(), at: now }),
  idempotency_keys: () => ({
    ...{
      actor_id: userId,
      operation: 'placeOrder',
      key: newId(),
      request_hash: String.raw`\x${'ab'.repeat(32)}`,
    },
    ...{ status: 201, reply: '{}', created_at: now },
  }),
  jobs: () => ({
    ...{
      id: newId(),
      type: 'ops.alert',
      payload: {},
      slot_key: null,
      state: 'pending',
      run_at: now,
      relay_at: now,
    },
    ...{ relays: 0, attempt: 0, lease_until: null, failures: 0, lost_leases: 0, last_error: null },
    ...{ request_id: 'a-request', created_at: now, finished_at: null },
  }),
  job_attempts: () => ({ job_id: jobId, attempt: 2, started_at: now, ended_at: now, outcome: 'done' }),
  job_pauses: () => ({ type: newId(), actor_id: userId, at: now }),
  audit_events: () => ({
    ...{
      id: newId(),
      at: now,
      actor_id: userId,
      action: 'job.retried',
      subject: 'a',
      request_id: 'a-request',
    },
  }),
  mail_deliveries: () => ({
    ...{ job_id: newId(), template: 'orderConfirmed', user_id: userId, recipient: 'ada@people.example' },
    ...{ status: 'sent', provider_id: newId(), problem: null, request_id: 'request-1', ...times },
  }),
  mail_events: () => ({
    ...{ id: newId(), type: 'email.delivered', job_id: jobId, occurred_at: now, received_at: now },
  }),
  mail_suppressions: () => ({
    address_hash: newHash(),
    reason: 'bounced',
    created_at: now,
  }),
}

/** What a report has once it is ready. */
const made = {
  ...{ build_id: reportId, as_of: now, finished_at: now },
  ...{ pdf_size: 1, pdf_etag: 'a', csv_size: 1, csv_etag: 'b' },
}

/** What an upload has once its bytes are whole, and once it is scanned. */
const whole = {
  ...{ expires_at: null, media_type: 'image/png', size: 1, etag: 'a', job_id: jobId },
  sha256: 'ab'.repeat(32),
}
const scanned = { ...whole, scan: 'clean' }

type Table = keyof typeof good

/** What is wrong in an otherwise good row, and the constraint that says so. */
const bad: [string, Table, object][] = [
  ['users_pkey', 'users', { id: userId }],
  ['users_email_unique', 'users', { email: 'taken@people.example' }],
  ['users_email_check', 'users', { email: 'Ada@people.example' }],
  ['users_email_check', 'users', { email: 'a' }],
  ['users_email_check', 'users', { email: 'a'.repeat(255) }],
  ['users_name_check', 'users', { name: 'A' }],
  ['users_name_check', 'users', { name: 'A'.repeat(101) }],
  ['users_role_check', 'users', { role: 'root' }],
  ['users_plan_check', 'users', { plan: 'gold' }],
  ['api_keys_pkey', 'api_keys', { id: keyId }],
  ['api_keys_secret_hash_unique', 'api_keys', { secret_hash: String.raw`\x${'ab'.repeat(32)}` }],
  ['api_keys_name_check', 'api_keys', { name: '' }],
  ['api_keys_name_check', 'api_keys', { name: 'x'.repeat(101) }],
  ['api_keys_scopes_check', 'api_keys', { scopes: [] }],
  ['api_keys_role_check', 'api_keys', { role: 'root' }],
  ['api_keys_secret_hash_check', 'api_keys', { secret_hash: String.raw`\xab` }],
  ['api_keys_previous_hash_check', 'api_keys', { previous_hash: String.raw`\xab` }],
  ['api_keys_previous_check', 'api_keys', { previous_until: null }],
  ['api_keys_expires_at_check', 'api_keys', { expires_at: now }],
  ['api_keys_user_id_users_id_fk', 'api_keys', { user_id: newId() }],
  ['api_key_usage_pk', 'api_key_usage', { day: '2026-11-19' }],
  ['api_key_usage_requests_check', 'api_key_usage', { requests: 0 }],
  ['api_key_usage_key_id_api_keys_id_fk', 'api_key_usage', { key_id: newId() }],
  ['sessions_pkey', 'sessions', { id: sessionId }],
  ['sessions_device_check', 'sessions', { device: '' }],
  ['sessions_device_check', 'sessions', { device: 'x'.repeat(101) }],
  ['sessions_user_agent_check', 'sessions', { user_agent: 'x'.repeat(257) }],
  ['sessions_expires_at_check', 'sessions', { expires_at: now }],
  ['sessions_user_id_users_id_fk', 'sessions', { user_id: newId() }],
  ['refresh_tokens_pkey', 'refresh_tokens', { token_hash: String.raw`\x${'ab'.repeat(32)}` }],
  ['refresh_tokens_token_hash_check', 'refresh_tokens', { token_hash: String.raw`\xab` }],
  ['refresh_tokens_successor_hash_check', 'refresh_tokens', { successor_hash: String.raw`\xab` }],
  ['refresh_tokens_spent_check', 'refresh_tokens', { spent_at: null }],
  ['refresh_tokens_live_once', 'refresh_tokens', { spent_at: null, successor_hash: null }],
  ['refresh_tokens_session_id_sessions_id_fk', 'refresh_tokens', { session_id: newId() }],
  ['mailed_tokens_pkey', 'mailed_tokens', { id: sessionId }],
  ['mailed_tokens_token_hash_unique', 'mailed_tokens', { token_hash: String.raw`\x${'ab'.repeat(32)}` }],
  ['mailed_tokens_token_hash_check', 'mailed_tokens', { token_hash: String.raw`\xab` }],
  ['mailed_tokens_purpose_check', 'mailed_tokens', { purpose: 'anything', email: 'ada@people.example' }],
  ['mailed_tokens_email_check', 'mailed_tokens', { email: 'ada@people.example' }],
  ['mailed_tokens_email_check', 'mailed_tokens', { purpose: 'verifyEmail' }],
  ['mailed_tokens_expires_at_check', 'mailed_tokens', { expires_at: now }],
  ['mailed_tokens_user_id_users_id_fk', 'mailed_tokens', { user_id: newId() }],
  ['categories_pkey', 'categories', { id: categoryId }],
  ['categories_slug_unique', 'categories', { slug: 'taken' }],
  ['categories_slug_check', 'categories', { slug: 'Upper' }],
  ['categories_slug_check', 'categories', { slug: 'a'.repeat(121) }],
  ['categories_name_check', 'categories', { name: 'x' }],
  ['categories_name_check', 'categories', { name: 'x'.repeat(81) }],
  ['products_pkey', 'products', { id: productId }],
  ['products_slug_unique', 'products', { slug: 'taken' }],
  ['products_slug_check', 'products', { slug: 'two--hyphens' }],
  ['products_slug_check', 'products', { slug: 'a'.repeat(241) }],
  ['products_name_check', 'products', { name: 'x' }],
  ['products_name_check', 'products', { name: 'x'.repeat(201) }],
  ['products_description_check', 'products', { description: 'x'.repeat(5_001) }],
  ['products_price_check', 'products', { price: '-0.01' }],
  ['products_price_check', 'products', { price: '100000.00' }],
  ['products_stock_check', 'products', { stock: -1 }],
  ['products_category_id_fk', 'products', { category_id: newId() }],
  ['orders_pkey', 'orders', { id: orderId }],
  ['orders_status_check', 'orders', { status: 'lost' }],
  ['orders_total_check', 'orders', { total: '-0.01' }],
  ['orders_user_id_users_id_fk', 'orders', { user_id: newId() }],
  ['order_items_pk', 'order_items', { position: 0 }],
  ['order_items_product_unique', 'order_items', { product_id: productId }],
  ['order_items_quantity_check', 'order_items', { quantity: 0 }],
  ['order_items_quantity_check', 'order_items', { quantity: 1_000 }],
  ['order_items_unit_price_check', 'order_items', { unit_price: '-0.01' }],
  ['order_items_unit_price_check', 'order_items', { unit_price: '100000.00' }],
  ['order_items_order_id_orders_id_fk', 'order_items', { order_id: newId() }],
  ['order_items_product_id_products_id_fk', 'order_items', { product_id: newId() }],
  ['order_status_history_once', 'order_status_history', { to_status: 'pending' }],
  ['order_status_history_from_check', 'order_status_history', { from_status: 'lost' }],
  ['order_status_history_to_check', 'order_status_history', { to_status: 'lost' }],
  ['order_status_history_order_id_orders_id_fk', 'order_status_history', { order_id: newId() }],
  ['order_status_history_actor_id_users_id_fk', 'order_status_history', { actor_id: newId() }],
  ['stock_movements_delta_check', 'stock_movements', { delta: 0 }],
  ['stock_movements_reason_check', 'stock_movements', { reason: '' }],
  ['stock_movements_reason_check', 'stock_movements', { reason: 'x'.repeat(201) }],
  ['stock_movements_once', 'stock_movements', { order_id: orderId, reason: 'order' }],
  ['stock_movements_product_id_products_id_fk', 'stock_movements', { product_id: newId() }],
  ['stock_movements_order_id_orders_id_fk', 'stock_movements', { order_id: newId() }],
  ['stock_movements_actor_id_users_id_fk', 'stock_movements', { actor_id: newId() }],
  ['jobs_pkey', 'jobs', { id: jobId }],
  ['jobs_state_check', 'jobs', { state: 'lost' }],
  ['conversations_pkey', 'conversations', { id: conversationId }],
  ['conversations_subject_once', 'conversations', { subject_id: productId }],
  ['conversations_subject_type_check', 'conversations', { subject_type: 'weather' }],
  ['conversations_subject_id_check', 'conversations', { subject_id: null }],
  ['conversations_version_check', 'conversations', { version: 0 }],
  ['conversations_head_check', 'conversations', { head: 0 }],
  ['conversations_head_check', 'conversations', { message_count: -1 }],
  ['conversations_customer_id_users_id_fk', 'conversations', { customer_id: newId() }],
  ['conversation_members_pk', 'conversation_members', { conversation_id: conversationId }],
  ['conversation_members_role_check', 'conversation_members', { role: 'guest' }],
  ['conversation_members_read_check', 'conversation_members', { read_seq: 0 }],
  [
    'conversation_members_conversation_id_conversations_id_fk',
    'conversation_members',
    { conversation_id: newId() },
  ],
  ['conversation_members_user_id_users_id_fk', 'conversation_members', { user_id: newId() }],
  ['reports_pkey', 'reports', { id: reportId }],
  ['reports_period_check', 'reports', { last_day: '2026-11-18' }],
  ['reports_period_check', 'reports', { last_day: '2027-11-20' }],
  ['reports_status_check', 'reports', { status: 'failed' }],
  ['reports_progress_check', 'reports', { progress: 101 }],
  ['reports_ready_check', 'reports', { status: 'ready', finished_at: now, build_id: reportId, as_of: now }],
  ['reports_ready_check', 'reports', { ...made, status: 'running' }],
  ['reports_error_check', 'reports', { error: 'x'.repeat(501) }],
  ['reports_requested_by_users_id_fk', 'reports', { requested_by: newId() }],
  ['uploads_pkey', 'uploads', { id: uploadId }],
  ['uploads_client_id_unique', 'uploads', { client_id: uploadId }],
  ['uploads_owner_id_users_id_fk', 'uploads', { owner_id: newId() }],
  ['uploads_name_check', 'uploads', { name: '' }],
  ['uploads_name_check', 'uploads', { name: 'x'.repeat(256) }],
  ['uploads_declared_type_check', 'uploads', { declared_type: 'image/svg+xml' }],
  ['uploads_media_type_check', 'uploads', { media_type: 'text/html' }],
  ['uploads_reserved_check', 'uploads', { reserved: -1 }],
  ['uploads_size_check', 'uploads', { size: 0 }],
  ['uploads_sha256_check', 'uploads', { sha256: 'AB'.repeat(32) }],
  ['uploads_way_check', 'uploads', { way: 'carried' }],
  ['uploads_state_check', 'uploads', { state: 'lost', expires_at: null }],
  ['uploads_expires_at_check', 'uploads', { expires_at: null }],
  ['uploads_expires_at_check', 'uploads', { ...whole, state: 'scanning', expires_at: now }],
  ['uploads_whole_check', 'uploads', { ...whole, state: 'scanning', etag: null }],
  ['uploads_whole_check', 'uploads', { ...scanned, state: 'processing', sha256: null }],
  ['uploads_whole_check', 'uploads', { ...scanned, state: 'ready', variants: {}, job_id: null }],
  ['uploads_scan_check', 'uploads', { scan: 'probably' }],
  ['uploads_scanned_check', 'uploads', { ...whole, state: 'processing' }],
  ['uploads_scanned_check', 'uploads', { ...whole, state: 'ready', variants: {} }],
  ['uploads_signature_check', 'uploads', { ...whole, state: 'infected' }],
  ['uploads_signature_check', 'uploads', { ...whole, state: 'scanning', signature: 'Eicar' }],
  ['uploads_signature_length_check', 'uploads', { ...whole, state: 'infected', signature: '' }],
  ['uploads_reason_check', 'uploads', { ...whole, state: 'rejected' }],
  ['uploads_reason_check', 'uploads', { reason: 'too_large' }],
  ['uploads_reason_length_check', 'uploads', { ...whole, state: 'failed', reason: 'x'.repeat(101) }],
  ['uploads_variants_check', 'uploads', { ...scanned, state: 'ready' }],
  ['uploads_variants_check', 'uploads', { ...scanned, state: 'ready', variants: [] }],
  ['uploads_variants_check', 'uploads', { variants: {} }],
  ['uploads_made_check', 'uploads', { made: {} }],
  ['uploads_multipart_id_check', 'uploads', { multipart_id: '' }],
  ['conversation_files_pk', 'conversation_files', { upload_id: uploadId }],
  ['conversation_files_version_check', 'conversation_files', { version: 0 }],
  ['conversation_files_member_fk', 'conversation_files', { user_id: newId() }],
  ['conversation_files_member_fk', 'conversation_files', { conversation_id: otherConversationId }],
  ['conversation_files_upload_id_uploads_id_fk', 'conversation_files', { upload_id: newId() }],
  ['product_images_pk', 'product_images', { product_id: productId, position: 0, upload_id: otherUploadId }],
  ['product_images_upload_unique', 'product_images', { product_id: productId }],
  ['product_images_position_check', 'product_images', { position: -1 }],
  ['product_images_position_check', 'product_images', { position: 20 }],
  ['product_images_product_id_products_id_fk', 'product_images', { product_id: newId() }],
  ['product_images_upload_id_uploads_id_fk', 'product_images', { upload_id: newId() }],
  ['upload_events_upload_id_uploads_id_fk', 'upload_events', { upload_id: newId() }],
  ['upload_events_state_check', 'upload_events', { state: 'lost' }],
  ['upload_events_detail_check', 'upload_events', { detail: '' }],
  ['upload_remains_pkey', 'upload_remains', { upload_id: uploadId }],
  ['reports_current_once', 'reports', { current: true }],
  ['idempotency_keys_pk', 'idempotency_keys', { key: 'taken' }],
  ['idempotency_keys_key_check', 'idempotency_keys', { key: '' }],
  ['idempotency_keys_key_check', 'idempotency_keys', { key: 'k'.repeat(256) }],
  ['idempotency_keys_hash_check', 'idempotency_keys', { request_hash: String.raw`\xab` }],
  ['idempotency_keys_status_check', 'idempotency_keys', { status: 404 }],
  ['idempotency_keys_reply_check', 'idempotency_keys', { reply: null }],
  ['idempotency_keys_actor_id_users_id_fk', 'idempotency_keys', { actor_id: newId() }],
  ['jobs_slot_key_unique', 'jobs', { slot_key: 'taken' }],
  ['jobs_type_check', 'jobs', { type: '' }],
  ['jobs_payload_check', 'jobs', { payload: [] }],
  ['jobs_payload_check', 'jobs', { payload: { text: 'x'.repeat(100_000) } }],
  ['jobs_lease_check', 'jobs', { state: 'running' }],
  ['jobs_lease_check', 'jobs', { lease_until: now }],
  ['jobs_finished_check', 'jobs', { state: 'done' }],
  ['jobs_finished_check', 'jobs', { finished_at: now }],
  ['jobs_failures_check', 'jobs', { failures: 4 }],
  ['jobs_last_error_check', 'jobs', { last_error: 'x'.repeat(2_001) }],
  ['jobs_request_id_check', 'jobs', { request_id: '' }],
  ['job_attempts_pk', 'job_attempts', { attempt: 1 }],
  ['job_attempts_outcome_check', 'job_attempts', { outcome: 'fine' }],
  ['job_attempts_ended_check', 'job_attempts', { outcome: null }],
  ['job_attempts_error_check', 'job_attempts', { error: 'x'.repeat(2_001) }],
  ['job_attempts_job_id_jobs_id_fk', 'job_attempts', { job_id: newId() }],
  ['job_pauses_pkey', 'job_pauses', { type: 'taken' }],
  ['job_pauses_type_check', 'job_pauses', { type: '' }],
  ['job_pauses_actor_id_users_id_fk', 'job_pauses', { actor_id: newId() }],
  ['audit_events_pkey', 'audit_events', { id: auditId }],
  ['audit_events_action_check', 'audit_events', { action: 'retried' }],
  ['audit_events_subject_check', 'audit_events', { subject: '' }],
  ['audit_events_reason_check', 'audit_events', { reason: '' }],
  ['audit_events_request_id_check', 'audit_events', { request_id: '' }],
  ['audit_events_actor_id_users_id_fk', 'audit_events', { actor_id: newId() }],
  ['mail_deliveries_pkey', 'mail_deliveries', { job_id: jobId }],
  ['mail_deliveries_provider_id_unique', 'mail_deliveries', { provider_id: 'taken' }],
  ['mail_deliveries_template_check', 'mail_deliveries', { template: 'advertisement' }],
  ['mail_deliveries_status_check', 'mail_deliveries', { status: 'lost' }],
  ['mail_deliveries_recipient_check', 'mail_deliveries', { recipient: 'a' }],
  ['mail_deliveries_recipient_check', 'mail_deliveries', { recipient: 'a'.repeat(255) }],
  ['mail_deliveries_provider_id_check', 'mail_deliveries', { provider_id: '' }],
  ['mail_deliveries_provider_id_check', 'mail_deliveries', { provider_id: 'x'.repeat(101) }],
  ['mail_deliveries_problem_check', 'mail_deliveries', { problem: 'x'.repeat(101) }],
  ['mail_deliveries_request_id_check', 'mail_deliveries', { request_id: '' }],
  ['mail_deliveries_request_id_check', 'mail_deliveries', { request_id: 'x'.repeat(129) }],
  ['mail_deliveries_unsent_check', 'mail_deliveries', { status: 'sending' }],
  ['mail_deliveries_user_id_users_id_fk', 'mail_deliveries', { user_id: newId() }],
  ['mail_events_pkey', 'mail_events', { id: 'taken' }],
  ['mail_events_id_check', 'mail_events', { id: '' }],
  ['mail_events_id_check', 'mail_events', { id: 'x'.repeat(101) }],
  ['mail_events_type_check', 'mail_events', { type: '' }],
  ['mail_events_type_check', 'mail_events', { type: 'x'.repeat(101) }],
  ['mail_events_job_id_mail_deliveries_job_id_fk', 'mail_events', { job_id: newId() }],
  ['mail_suppressions_pkey', 'mail_suppressions', { address_hash: String.raw`\x${'ab'.repeat(32)}` }],
  ['mail_suppressions_hash_check', 'mail_suppressions', { address_hash: String.raw`\xab` }],
  ['mail_suppressions_reason_check', 'mail_suppressions', { reason: 'dislike' }],
]

/** Generated, so that no insert can repeat them. */
const generated = ['order_status_history_pkey', 'stock_movements_pkey', 'upload_events_pkey']

beforeAll(async () => {
  await insert('users', [{ ...good.users(), id: userId, email: 'taken@people.example' }])
  await insert('sessions', [{ ...good.sessions(), id: sessionId }])
  const tokenHash = String.raw`\x${'ab'.repeat(32)}`
  const live = { token_hash: tokenHash, spent_at: null, successor_hash: null }
  await insert('refresh_tokens', [{ ...good.refresh_tokens(), ...live }])
  await insert('mailed_tokens', [{ ...good.mailed_tokens(), id: sessionId, token_hash: tokenHash }])
  await insert('api_keys', [{ ...good.api_keys(), id: keyId, secret_hash: tokenHash }])
  await insert('api_key_usage', [{ ...good.api_key_usage(), day: '2026-11-19' }])
  await insert('categories', [{ ...good.categories(), id: categoryId, slug: 'taken' }])
  await insert('products', [{ ...good.products(), id: productId, slug: 'taken' }])
  await insert('products', [{ ...good.products(), id: otherProductId }])
  await insert('orders', [{ ...good.orders(), id: orderId }])
  await insert('order_items', [{ ...good.order_items(), position: 0, product_id: productId }])
  await insert('order_status_history', [
    { ...good.order_status_history(), from_status: null, to_status: 'pending' },
  ])
  await insert('conversations', [{ ...good.conversations(), id: conversationId, subject_id: productId }])
  await insert('conversations', [{ ...good.conversations(), id: otherConversationId }])
  await insert('conversation_members', [{ ...good.conversation_members(), conversation_id: conversationId }])
  await insert('reports', [{ ...good.reports(), id: reportId, current: true }])
  await insert('uploads', [{ ...good.uploads(), id: uploadId, client_id: uploadId }])
  await insert('uploads', [{ ...good.uploads(), id: otherUploadId }])
  await insert('conversation_files', [{ ...good.conversation_files(), upload_id: uploadId }])
  await insert('product_images', [{ ...good.product_images(), product_id: productId, position: 0 }])
  await insert('upload_remains', [{ ...good.upload_remains(), upload_id: uploadId }])
  await insert('idempotency_keys', [{ ...good.idempotency_keys(), key: 'taken' }])
  await insert('mail_deliveries', [{ ...good.mail_deliveries(), job_id: jobId, provider_id: 'taken' }])
  await insert('mail_events', [{ ...good.mail_events(), id: 'taken' }])
  await insert('mail_suppressions', [{ ...good.mail_suppressions(), address_hash: tokenHash }])
  await insert('stock_movements', [{ ...good.stock_movements(), order_id: orderId, reason: 'order' }])
  await insert('jobs', [{ ...good.jobs(), id: jobId, slot_key: 'taken' }])
  await insert('job_attempts', [{ ...good.job_attempts(), attempt: 1 }])
  await insert('job_pauses', [{ ...good.job_pauses(), type: 'taken' }])
  await insert('audit_events', [{ ...good.audit_events(), id: auditId }])
})

describe('the database itself', () => {
  it.each(bad)('says no by %s to a bad row of %s: %j', async (constraint, table, change) => {
    const refused = insert(table, [{ ...good[table](), ...change }])
    await expect(refused).rejects.toBeInstanceOf(NeonDbError)
    await expect(refused).rejects.toMatchObject({ constraint, code: expect.stringMatching(/^23/) })
  })

  it.each(Object.keys(good) as Table[])('takes a good row of %s', async (table) => {
    await insert(table, [good[table]()])
  })

  it('has each of its constraints tested here', async () => {
    const known = await sql<{ name: string }>(
      `select conname as name from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f', 'c')
        union
        select indexrelid::regclass::text from pg_index join pg_class on pg_class.oid = indrelid
        where indisunique and relnamespace = 'public'::regnamespace`,
    )
    const tested = new Set([...bad.map(([name]) => name), ...generated])
    expect(known.map(({ name }) => name).toSorted()).toEqual([...tested].toSorted())
  })

  it.each([
    ['users', 'email'],
    ['products', 'price'],
    ['products', 'category_id'],
    ['orders', 'user_id'],
    ['order_items', 'unit_price'],
    ['sessions', 'expires_at'],
  ] as [Table, string][])('says no to a row of %s without %s', async (table, column) => {
    await expect(insert(table, [{ ...good[table](), [column]: null }])).rejects.toMatchObject({
      code: '23502',
      column,
    })
  })

  it.each([
    'update audit_events set reason = $1',
    'delete from audit_events where reason is distinct from $1',
  ])('lets nobody rewrite the audit: %s', async (statement) => {
    await expect(sql(statement, ['x'])).rejects.toMatchObject({ message: 'audit_events is append-only' })
  })

  it('undoes a whole transaction when a guard raises', async () => {
    const { id } = good.users()
    await expect(
      sql(
        `with made as (insert into orders (id, user_id, status, total) values ($1, $2, 'pending', 0) returning id)
          select raise_app('OUT_OF_STOCK', '[1]') from made`,
        [id, userId],
      ),
    ).rejects.toMatchObject({ code: 'SV001', message: 'OUT_OF_STOCK', detail: '[1]' })
    expect(await sql('select from orders where id = $1', [id])).toEqual([])
  })
})
