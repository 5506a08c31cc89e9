import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newId } from '../shared/ids.ts'
import { createSpans } from './span.ts'

const day = new Date('2026-11-20T00:00:00.000Z')
const object = (key: string, uploaded = day) => ({ key, size: 1, uploaded })

const spansOf = (keys: string[], pageSize: number) => {
  const spanOf = createSpans('files/', day)
  const spans = []
  for (let at = 0; at === 0 || at < keys.length; at += pageSize) {
    const page = keys.slice(at, at + pageSize).map((key) => object(key))
    spans.push(spanOf(page, at + pageSize >= keys.length))
  }
  return spans
}

describe('the spans of a listing', () => {
  it('have every key of an upload in the one span that the upload is in, wherever pages end', () => {
    const ids = fc.uniqueArray(fc.uuid({ version: 7 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 7 }), fc.boolean(), (some, pageSize, withForeign) => {
        const keys = some.flatMap((id) => ['full', 'medium', 'thumb'].map((name) => `files/${id}/${name}/x`))
        if (withForeign) keys.push('files/', 'files/x', 'files/zz/y')
        const spans = spansOf(keys.toSorted(), pageSize)
        for (const id of some) {
          const of = spans.filter(
            ({ from, before }) => (from ?? '') <= id && (before === undefined || id < before),
          )
          expect(of).toHaveLength(1)
          expect(of[0]?.listed.filter(({ uploadId }) => uploadId === id)).toHaveLength(3)
        }
      }),
    )
  })

  it('know foreign keys from ours', () => {
    const id = newId()
    const listed = createSpans('quarantine/', day)(
      [`quarantine/${id}`, `quarantine/${id.toUpperCase()}`, `quarantine/${id}/x`, 'quarantine/'].map((key) =>
        object(key),
      ),
      true,
    ).listed.map(({ uploadId }) => uploadId)
    expect(listed).toEqual([id, null, null, null])
  })

  it('tell what is old, once', () => {
    const id = newId()
    const spanOf = createSpans('files/', day)
    const old = new Date(day.getTime() - 1)
    const [first] = spanOf([object(`files/${id}/full/a`, old)], false).listed
    const [again, fresh] = spanOf([object(`files/${id}/full/b`)], true).listed
    expect([first?.isOld, again?.isOld, fresh?.isOld]).toEqual([true, false, false])
  })
})
