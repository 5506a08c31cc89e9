import { stringify } from 'csv-stringify/browser/esm/sync'
import type { OrderStatus } from '../orders/status.ts'

/** An order as it stands in the list; money is decimal text. */
export type OrderRow = {
  id: string
  createdAt: string
  status: OrderStatus
  customer: string
  email: string
  lines: number
  units: number
  total: string
}

const columns = [
  { key: 'id', header: 'Order' },
  { key: 'createdAt', header: 'Placed at (UTC)' },
  { key: 'status', header: 'Status' },
  { key: 'customer', header: 'Customer' },
  { key: 'email', header: 'E-mail' },
  { key: 'lines', header: 'Lines' },
  { key: 'units', header: 'Units' },
  { key: 'total', header: 'Total' },
]

/**
 * RFC 4180; the first page has the header row and a byte order mark, by which spreadsheets know UTF-8. A cell that a
 * spreadsheet would take for a formula gets an apostrophe before it
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export const csvPage = (rows: OrderRow[], { first }: { first: boolean }): string =>
  stringify(rows, { columns, header: first, bom: first, escape_formulas: true, record_delimiter: 'windows' })
