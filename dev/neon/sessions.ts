import { message, queryMessage } from './frames.ts'
import type { Backend } from './gateway.ts'

type Setting = [name: string, value: string]

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

/** The fields of the DataRow messages in an answer, as text. */
const rowsOf = (answer: Buffer) => {
  const rows: string[][] = []
  for (let at = 0; at + 5 <= answer.length; at += answer.readUInt32BE(at + 1) + 1) {
    if (answer[at] !== 0x44) continue
    const row: string[] = []
    let field = at + 7
    for (let left = answer.readUInt16BE(at + 5); left > 0; left -= 1) {
      const length = answer.readInt32BE(field)
      row.push(answer.toString('utf8', field + 4, field + 4 + Math.max(length, 0)))
      field += 4 + Math.max(length, 0)
    }
    rows.push(row)
  }
  return rows
}

/**
 * Gives each client of the one backend its own settings (`SET …`): they are put away when another client's turn
 * comes. Prepared statements, temporary tables and session-level advisory locks stay common to all.
 * Every function needs the turn.
 */
export const createSessions = (backend: Backend) => {
  const settings = new Map<object, Setting[]>()
  let current: object | undefined

  const ask = async (sql: string) => {
    const answer: Buffer[] = []
    await backend.execute(queryMessage(sql), (bytes) => answer.push(bytes))
    return rowsOf(Buffer.concat(answer))
  }

  const putAway = async (client: object) => {
    const rows = await ask(`select name, setting from pg_settings where source = 'session'`)
    if (rows.length > 0) await ask('reset all')
    settings.set(
      client,
      rows.map(([name = '', value = '']): Setting => [name, value]),
    )
  }

  const restore = async (client: object) => {
    const saved = settings.get(client) ?? []
    const calls = saved.map(([name, value]) => `set_config(${quoted(name)}, ${quoted(value)}, false)`)
    if (calls.length > 0) await ask(`select ${calls.join(', ')}`)
  }

  return {
    enter: async (client: object) => {
      if (client === current) return
      if (current) await putAway(current)
      await restore(client)
      settings.set(client, [])
      current = client
    },
    /** Ends what a client that is gone left open, wherever it was in its cycle. */
    leave: async (client: object) => {
      settings.delete(client)
      if (client !== current) return
      await backend.execute(message('S'), () => undefined)
      if (backend.inTransaction()) await ask('rollback')
      await ask('reset all')
      // The one that may be left is the HTTP engine's connection, which has none of these.
      if (settings.size <= 1) await ask('discard temp; deallocate all; unlisten *')
      current = undefined
    },
  }
}
