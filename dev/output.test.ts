import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createOutput } from './output.ts'

function setUp() {
  const lines: string[] = []
  const output = createOutput((line) => void lines.push(line))
  const stream = new PassThrough()
  output.read(stream)
  const say = async (text: string) => {
    stream.write(`${text}\n`)
    await new Promise(setImmediate)
  }
  return { lines, output, say }
}

it('what is said during a start is told only if the start fails', async () => {
  const { lines, output, say } = setUp()
  await say('starting')
  output.pass()
  await say('log')
  expect(lines).toEqual(['log'])
  output.keepBack()
  await say('broken')
  expect(lines).toEqual(['log'])
  output.tell()
  expect(lines).toEqual(['log', 'broken'])
})

it("wrangler's news and the lines of heartbeats are left out, colours stay", async () => {
  const { lines, output, say } = setUp()
  output.pass()
  await say('[wrangler:info] GET /health 200 OK (3ms)')
  await say('\u001B[2m[wrangler:info]\u001B[0m POST /api/v1/orders?x=1 \u001B[31m500\u001B[0m Internal (3ms)')
  await say('{"msg":"GET /health","requestId":"dev-heartbeat"}')
  await say('\u001B[31mred\u001B[0m')
  await say('[wrangler:info] Ready on http://127.0.0.1:1')
  await say('Reloading')
  expect(lines).toEqual(['\u001B[31mred\u001B[0m', 'Reloading'])
})
