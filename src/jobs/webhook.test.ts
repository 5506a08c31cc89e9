import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createWebhook } from './webhook.ts'

const jobId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11'
const alert = { jobId, type: 'report.build', failures: 3, error: 'Error: no' }
const { signal } = new AbortController()

describe('the webhook of the operators', () => {
  const got: { method?: string | undefined; type?: string | undefined; body: unknown }[] = []
  let status = 200
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, headers } = request
      got.push({ method, type: headers['content-type'], body: JSON.parse(body) as unknown })
      response.writeHead(status).end('ok')
    })
  })
  let url = ''

  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`
  })
  beforeEach(() => {
    got.length = 0
    status = 200
  })
  afterAll(async () => {
    server.close()
    await once(server, 'close')
  })

  it("gets Slack's JSON with the id of the job", async () => {
    await createWebhook(url)(alert, signal)
    const told = `:skull: Job \`${jobId}\` (report.build) is dead after 3 failures: Error: no`
    expect(got).toEqual([{ method: 'POST', type: 'application/json', body: { text: told } }])
  })

  it('is called by no text of others', async () => {
    await createWebhook(url)({ ...alert, error: '<!channel> & <https://evil.example|here>' }, signal)
    expect(JSON.stringify(got)).not.toMatch(/[<>]/)
    expect(JSON.stringify(got)).toContain('&lt;!channel&gt; &amp; ')
  })

  it('that refuses lets the job be tried again', async () => {
    status = 500
    await expect(createWebhook(url)(alert, signal)).rejects.toThrow('answered 500')
  })

  it('is nobody where there is none', async () => {
    await createWebhook(undefined)(alert, signal)
    expect(got).toEqual([])
  })
})
