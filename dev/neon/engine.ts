export type Statement = { query: string; params: unknown[] }

export type Transaction = { isolation: string | undefined; readOnly: boolean; deferrable: boolean }

/** One HTTP request: a single statement without a transaction, or a batch inside one. */
export type SqlRequest = { statements: Statement[]; transaction: Transaction | undefined }

type Field = {
  name: string
  dataTypeID: number
  tableID: number
  columnID: number
  dataTypeSize: number
  dataTypeModifier: number
  format: string
}

/** Values are exactly what PostgreSQL prints in text format. */
export type SqlResult = {
  fields: Field[]
  rows: (string | null)[][]
  command: string
  rowCount: number | null
}

/**
 * Runs one request at a time per connection. Rejects with pg's DatabaseError when PostgreSQL refused, with
 * any other error when it could not be asked. An aborted signal ends the work as soon as the engine can.
 */
export type SqlEngine = {
  run(request: SqlRequest, signal: AbortSignal): Promise<SqlResult[]>
  close(): Promise<void>
}
