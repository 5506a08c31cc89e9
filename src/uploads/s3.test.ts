import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createS3 } from './s3.ts'

const key = 'quarantine/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17'

const settings = {
  ...{ endpoint: 'https://account.r2.cloudflarestorage.com', bucket: 'selvedge-files' },
  ...{ accessKeyId: 'the-id', secretAccessKey: 'the-secret' },
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A store that answers everything alike, and what it was asked. */
const storeThat = async (status: number, body: string) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { asked, s3: createS3({ ...settings, endpoint: `http://127.0.0.1:${port}` }) }
}

describe('signPut', () => {
  it('signs size, type and checksum, and keeps the secret', async () => {
    const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
    const { method, url, headers } = await createS3(settings).signPut(
      key,
      { type: 'image/png', size: 123, sha256 },
      900,
    )
    const { origin, pathname, searchParams } = new URL(url)
    expect([method, origin, pathname]).toEqual(['PUT', settings.endpoint, `/selvedge-files/${key}`])
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe(
      'content-length;content-type;host;x-amz-checksum-sha256',
    )
    expect(searchParams.get('X-Amz-Expires')).toBe('900')
    expect(searchParams.get('X-Amz-Credential')).toMatch(/^the-id\/\d{8}\/auto\/s3\/aws4_request$/)
    expect(headers).toEqual({
      'Content-Type': 'image/png',
      'x-amz-checksum-sha256': 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
    })
    expect(url).not.toContain('the-secret')
  })
})

describe('listParts', () => {
  it('reads what the S3 protocol tells of parts', async () => {
    const { s3, asked } = await storeThat(
      200,
      `<?xml version="1.0" encoding="UTF-8"?>
<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket><UploadId>u</UploadId>
  <Part><PartNumber>1</PartNumber><LastModified>2026-11-19T10:00:00.000Z</LastModified><ETag>&quot;aa&quot;</ETag><Size>5242880</Size></Part>
  <Part><ETag>"bb"</ETag><Size>17</Size><PartNumber>3</PartNumber></Part>
</ListPartsResult>`,
    )
    expect(await s3.listParts(key, 'u+/=')).toEqual([
      { PartNumber: 1, Size: 5_242_880, ETag: '"aa"' },
      { PartNumber: 3, Size: 17, ETag: '"bb"' },
    ])
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatch(/^GET \/selvedge-files\/quarantine\/[\w-]+\?uploadId=u%2B%2F%3D&/)
  })

  it.each([
    [200, '<ListPartsResult></ListPartsResult>'],
    [404, '<Error><Code>NoSuchUpload</Code></Error>'],
    [501, '<Error><Code>NotImplemented</Code></Error>'],
  ])('knows of none when the store answers %i', async (status, body) => {
    const { s3 } = await storeThat(status, body)
    expect(await s3.listParts(key, 'u')).toEqual([])
  })

  it('says that the store is away, and nothing else of it', async () => {
    const { s3 } = await storeThat(403, '<Error><Code>AccessDenied</Code></Error>')
    await expect(s3.listParts(key, 'u')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const nobody = createS3({ ...settings, endpoint: 'http://127.0.0.1:9' })
    await expect(nobody.listParts(key, 'u')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
