import { NeonDbError } from '@neondatabase/serverless'
import { describe, expect, it } from 'vitest'
import { AppError, errorCodes, type ErrorCode } from '../shared/errors.ts'
import { isUnanswered, toAppError, wasUndone } from './violations.ts'

const refusal = (fields: Partial<NeonDbError>): NeonDbError =>
  Object.assign(new NeonDbError('Key (email)=(canary@selvedge.test) is in the way'), fields)

const mapped = (fields: Partial<NeonDbError>): AppError => {
  const error = toAppError(refusal(fields))
  if (error instanceof AppError) return error
  throw new Error('is no AppError')
}

/** Each class of PostgreSQL's appendix A, by a code that stands for it. */
const byState: [string, ErrorCode][] = [
  ['02000', 'INTERNAL'],
  ['03000', 'INTERNAL'],
  ['08000', 'UNAVAILABLE'],
  ['08001', 'UNAVAILABLE'],
  ['08006', 'UNAVAILABLE'],
  ['09000', 'INTERNAL'],
  ['0A000', 'INTERNAL'],
  ['0B000', 'INTERNAL'],
  ['0F000', 'INTERNAL'],
  ['0L000', 'INTERNAL'],
  ['0P000', 'INTERNAL'],
  ['0Z000', 'INTERNAL'],
  ['10608', 'INTERNAL'],
  ['20000', 'INTERNAL'],
  ['21000', 'INTERNAL'],
  ['22001', 'VALIDATION_FAILED'],
  ['22003', 'VALIDATION_FAILED'],
  ['22007', 'VALIDATION_FAILED'],
  ['22008', 'VALIDATION_FAILED'],
  ['22009', 'VALIDATION_FAILED'],
  ['22012', 'INTERNAL'],
  ['22021', 'VALIDATION_FAILED'],
  ['22023', 'VALIDATION_FAILED'],
  ['22P02', 'VALIDATION_FAILED'],
  ['22P05', 'VALIDATION_FAILED'],
  ['23502', 'INTERNAL'],
  ['23503', 'INTERNAL'],
  ['23505', 'INTERNAL'],
  ['23514', 'INTERNAL'],
  ['23P01', 'INTERNAL'],
  ['24000', 'INTERNAL'],
  ['25006', 'INTERNAL'],
  ['25P02', 'INTERNAL'],
  ['25P03', 'UNAVAILABLE'],
  ['25P04', 'UNAVAILABLE'],
  ['26000', 'INTERNAL'],
  ['27000', 'INTERNAL'],
  ['28P01', 'UNAVAILABLE'],
  ['2BP01', 'INTERNAL'],
  ['2D000', 'INTERNAL'],
  ['2F000', 'INTERNAL'],
  ['34000', 'INTERNAL'],
  ['38000', 'INTERNAL'],
  ['39000', 'INTERNAL'],
  ['3B000', 'INTERNAL'],
  ['3D000', 'INTERNAL'],
  ['3F000', 'INTERNAL'],
  ['40001', 'UNAVAILABLE'],
  ['40002', 'INTERNAL'],
  ['40P01', 'UNAVAILABLE'],
  ['42501', 'INTERNAL'],
  ['42601', 'INTERNAL'],
  ['42P01', 'INTERNAL'],
  ['44000', 'INTERNAL'],
  ['53000', 'UNAVAILABLE'],
  ['53300', 'UNAVAILABLE'],
  ['54000', 'INTERNAL'],
  ['55000', 'INTERNAL'],
  ['55P03', 'UNAVAILABLE'],
  ['57014', 'UNAVAILABLE'],
  ['57P01', 'UNAVAILABLE'],
  ['57P03', 'UNAVAILABLE'],
  ['58000', 'UNAVAILABLE'],
  ['58030', 'UNAVAILABLE'],
  ['F0000', 'INTERNAL'],
  ['HV000', 'INTERNAL'],
  ['P0001', 'INTERNAL'],
  ['XX000', 'INTERNAL'],
]

describe('a refusal by the database', () => {
  it.each(byState)('with SQLSTATE %s is %s', (code, expected) => {
    expect(mapped({ code }).code).toBe(expected)
  })

  it('without a SQLSTATE, from the network or a proxy, is UNAVAILABLE with Retry-After', () => {
    expect(mapped({})).toMatchObject({ code: 'UNAVAILABLE', headers: { 'Retry-After': '2' } })
  })

  const byConstraint: [string, string, ErrorCode, unknown][] = [
    ['23505', 'users_email_unique', 'EMAIL_TAKEN', undefined],
    ['23505', 'products_slug_unique', 'SLUG_TAKEN', undefined],
    ['23505', 'categories_slug_unique', 'SLUG_TAKEN', undefined],
    ['23514', 'products_stock_check', 'OUT_OF_STOCK', undefined],
    [
      '23503',
      'products_category_id_fk',
      'VALIDATION_FAILED',
      [{ field: 'categoryId', message: 'unknown category' }],
    ],
    ['23505', 'order_items_pk', 'INTERNAL', undefined],
  ]
  it.each(byConstraint)('with SQLSTATE %s by %s is %s', (code, constraint, expected, details) => {
    expect(mapped({ code, constraint })).toMatchObject({ code: expected, details })
  })

  it('never tells the client what the driver quotes, and keeps it as the cause', () => {
    for (const fields of [{}, { code: '23505', constraint: 'users_email_unique' }, { code: 'XX000' }]) {
      const error = mapped(fields)
      expect(JSON.stringify([error.message, error.details])).not.toContain('canary')
      expect(error.cause).toBeInstanceOf(NeonDbError)
    }
  })
})

describe('a guard that raised', () => {
  const raised = (message: string, detail?: string) => mapped({ message, code: 'SV001', detail })

  it.each(errorCodes)('%s is that code', (code) => {
    expect(raised(code, 'null')).toMatchObject({ code, details: undefined })
  })

  it('brings its details', () => {
    const details = [{ productId: 'p', requested: 3, available: 1 }]
    expect(raised('OUT_OF_STOCK', JSON.stringify(details))).toMatchObject({ details })
  })

  it.each([
    ['no details', undefined],
    ['details that are no JSON', '{'],
  ])('may have %s', (_, detail) => {
    expect(raised('NOT_FOUND', detail).details).toBeUndefined()
  })

  it('an unknown code is a fault of ours', () => {
    expect(raised('NO_SUCH_CODE', 'null').code).toBe('INTERNAL')
  })
})

it('gives back what is not the driver’s as it was', () => {
  const others = [new TypeError('x'), new AppError('NOT_FOUND', 'x'), 'text', undefined]
  for (const error of others) expect(toAppError(error)).toBe(error)
})

describe('what a retry may follow', () => {
  it.each([
    ['40001', true, false],
    ['40P01', true, false],
    ['08006', false, true],
    ['53300', false, true],
    ['57014', false, true],
    ['55P03', false, true],
    ['25P03', false, true],
    [undefined, false, true],
    ['23505', false, false],
    ['SV001', false, false],
    ['XX000', false, false],
  ])('SQLSTATE %s: undone %s, unanswered %s', (code, undone, unanswered) => {
    const error = refusal({ code })
    expect([wasUndone(error), isUnanswered(error)]).toEqual([undone, unanswered])
  })

  it('is never another error', () => {
    for (const error of [new Error('x'), new AppError('UNAVAILABLE', 'x')]) {
      expect([wasUndone(error), isUnanswered(error)]).toEqual([false, false])
    }
  })
})
