import { configureSync, getConfig, getLogger, type LogRecord, type Logger } from '@logtape/logtape'
import { redactedSink } from './redact.ts'

export type { Logger }

export const logLevels = ['debug', 'info', 'warn', 'error'] as const

type LogLevel = (typeof logLevels)[number]

type Fields = Record<string, unknown>

/** What every line begins with, in this order; requestId is absent outside a request. */
const fieldsOf = (record: LogRecord): Fields => {
  const { requestId, ...rest } = record.properties
  return {
    level: record.level === 'warning' ? 'warn' : record.level,
    time: new Date(record.timestamp).toISOString(),
    msg: record.message.join(''),
    ...(requestId === undefined ? {} : { requestId }),
    ...rest,
  }
}

const asJson = (record: LogRecord): string => JSON.stringify(fieldsOf(record))

const asText = (record: LogRecord): string => {
  const { level, time, msg, ...rest } = fieldsOf(record)
  const known = Object.entries(rest).filter(([, value]) => value !== undefined)
  const pairs = known.map(([name, value]) =>
    typeof value === 'string' && !/[\s"\p{Cc}]/u.test(value)
      ? `${name}=${value}`
      : `${name}=${JSON.stringify(value)}`,
  )
  return [String(time).slice(11, 23), String(level).toUpperCase().padEnd(5), msg, ...pairs].join(' ')
}

type Options = { level: LogLevel; pretty: boolean; write?: (line: string) => void }

/**
 * The one logger of the process, redacting. Writes by console.log whatever the level: the level is in the line,
 * and other console methods decorate it.
 */
export const createLogger = ({ level, pretty, write = console.log }: Options): Logger => {
  configureSync({
    reset: true,
    sinks: { lines: redactedSink(write, pretty ? asText : asJson) },
    loggers: [
      { category: 'selvedge', lowestLevel: level === 'warn' ? 'warning' : level, sinks: ['lines'] },
      { category: ['logtape', 'meta'], lowestLevel: 'error', sinks: ['lines'] },
    ],
  })
  return getLogger('selvedge')
}

/** For an object, which may share its isolate with the Worker: the logger that is there, else one of its own. */
export const sharedLogger = (options: Options): Logger =>
  getConfig() === null ? createLogger(options) : getLogger('selvedge')
