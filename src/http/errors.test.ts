import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'
import { AppError, errorCodes } from '../shared/errors.ts'
import { errorBody, statuses } from './errors.ts'

describe('statuses', () => {
  it('has a status of 400 to 599 for every code and for no other', () => {
    expect(Object.keys(statuses).toSorted()).toEqual([...errorCodes].toSorted())
    for (const status of Object.values(statuses)) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(600)
    }
  })
})

describe('errorBody', () => {
  it('has code, message, details and request id, in this order', () => {
    const error = new AppError('EMAIL_TAKEN', 'This e-mail address is already in use', { details: [1] })
    expect(JSON.stringify(errorBody(error, 'request-1'))).toBe(
      '{"error":{"code":"EMAIL_TAKEN","message":"This e-mail address is already in use","details":[1],"requestId":"request-1"}}',
    )
  })

  it('leaves out details that are not there', () => {
    expect(errorBody(new AppError('NOT_FOUND', 'x'), 'request-1').error).not.toHaveProperty('details')
  })

  it.each(errorCodes.filter((code) => statuses[code] >= 500))('says the same for every %s', (code) => {
    const [one, other] = ['canary', 'other'].map((message) => errorBody(new AppError(code, message), 'r'))
    expect(one).toEqual(other)
    expect(JSON.stringify(one)).not.toContain('canary')
  })

  it('says nothing of a cause', () => {
    const error = new AppError('INTERNAL', 'x', { cause: new HTTPException(500, { message: 'canary' }) })
    expect(JSON.stringify(errorBody(error, 'r'))).not.toContain('canary')
  })
})
