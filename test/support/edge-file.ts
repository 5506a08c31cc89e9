import { beforeAll } from 'vitest'
import { captureConsole } from './edge-console.ts'
import { sql } from './edge-sql.ts'

captureConsole()

beforeAll(async () => {
  await sql(
    'truncate product_images, conversation_files, uploads, upload_events, upload_remains, reports, audit_events, job_attempts, job_pauses, jobs, mail_events, mail_suppressions, mail_deliveries, idempotency_keys, stock_movements, order_status_history, order_items, orders, products, categories, sessions, refresh_tokens, mailed_tokens, api_key_usage, api_keys, conversation_members, conversations, users',
  )
})
