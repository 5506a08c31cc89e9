import { expect, it } from 'vitest'
import { mergeSections } from './document.ts'
import { sectionText } from './section.ts'

it('replaces the sections that were measured and keeps the others in their place', () => {
  const before = 'Preface\n\n## One\n\nstale\n\n## Two\n\nkept\n'
  const after = mergeSections(before, ['## One\n\nnew', '## Three\n\nadded'])
  expect(after).toMatch(/^# Benchmarks[\s\S]*## One\n\nnew\n\n## Two\n\nkept\n\n## Three\n\nadded$/)
  expect(after).not.toContain('stale')
})

it('marks an aim that is missed, and only then says where the time goes', () => {
  const table = { head: ['a'], rows: [['1']], meaning: 'One is one.' }
  const aims = [
    { text: 'fast', met: true, otherwise: 'not said' },
    { text: 'small', met: false, otherwise: 'It is the log.' },
  ]
  const text = sectionText({ title: 'T', method: 'By  hand.', tables: [table], aims }, 'Today')
  expect(text).toContain('- Met: fast\n- **Missed**: small. It is the log.')
  expect(text).not.toContain('not said')
})
