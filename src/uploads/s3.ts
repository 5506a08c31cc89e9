import { AwsV4Signer } from 'aws4fetch'
import { AppError } from '../shared/errors.ts'

/** R2 as S3 speaks it: for what a client sends straight to the bucket. */
export type S3Settings = {
  /** Without a slash at its end; the bucket's name follows in the path. */
  endpoint: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
}

/** A request that its holder may send, exactly as it is, until it expires. */
export type Signed = { method: 'PUT'; url: string; headers: Record<string, string> }

/** As `ListParts` tells of a part. */
export type Part = { PartNumber: number; Size: number; ETag: string }

/** Milliseconds that R2 may take to list the parts of an upload. */
const patience = 10_000

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')

const encodeKey = (key: string): string => key.split('/').map(encodeURIComponent).join('/')

const textIn = (xml: string, name: string): string =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ''

/** An ETag is hexadecimal and a dash in quotes, so that no other entity can occur. */
const partsIn = (xml: string): Part[] =>
  [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    PartNumber: Number(textIn(part, 'PartNumber')),
    Size: Number(textIn(part, 'Size')),
    ETag: textIn(part, 'ETag').replaceAll('&quot;', '"'),
  }))

export type S3 = ReturnType<typeof createS3>

/** Signs by Signature Version 4 with the key of the bucket; nothing of the secret leaves. */
export const createS3 = ({ endpoint, bucket, accessKeyId, secretAccessKey }: S3Settings) => {
  const sign = async (
    {
      method,
      key,
      query = {},
      headers = {},
    }: {
      method: string
      key: string
      query?: Record<string, string>
      headers?: Record<string, string>
    },
    seconds: number,
  ): Promise<string> => {
    const url = new URL(`${endpoint}/${bucket}/${encodeKey(key)}`)
    url.search = new URLSearchParams({ ...query, 'X-Amz-Expires': String(seconds) }).toString()
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers,
      accessKeyId,
      secretAccessKey,
      service: 's3',
      region: 'auto',
      signQuery: true,
      allHeaders: true,
    })
    return (await signer.sign()).url.href
  }

  return {
    /**
     * The one PUT of an object with these bytes: size, type and checksum are signed, so that R2 takes no other. A client
     * sends `headers` as they are; Content-Length it sends by itself.
     */
    async signPut(
      key: string,
      { type, size, sha256 }: { type: string; size: number; sha256: string },
      seconds: number,
    ): Promise<Signed> {
      const headers = { 'Content-Type': type, 'x-amz-checksum-sha256': base64(sha256) }
      const signed = { ...headers, 'Content-Length': String(size) }
      return { method: 'PUT', url: await sign({ method: 'PUT', key, headers: signed }, seconds), headers }
    },

    /** The PUT of a part. Its size is not known beforehand; the whole is measured when it is completed. */
    signPart: async (
      key: string,
      { uploadId, partNumber }: { uploadId: string; partNumber: number },
      seconds: number,
    ): Promise<string> =>
      await sign({ method: 'PUT', key, query: { partNumber: String(partNumber), uploadId } }, seconds),

    /**
     * What has arrived of a multipart upload, 1,000 parts at most. The local R2 cannot tell: then nothing has, and the
     * client sends every part again, in the place of the one before.
     * @throws UNAVAILABLE
     */
    async listParts(key: string, uploadId: string): Promise<Part[]> {
      const url = await sign({ method: 'GET', key, query: { uploadId } }, 60)
      try {
        const reply = await fetch(url, { signal: AbortSignal.timeout(patience) })
        const text = await reply.text()
        if (reply.status === 501 || reply.status === 404) return []
        if (!reply.ok) throw new Error(`R2 answers ${reply.status} ${textIn(text, 'Code')} to ListParts`)
        return partsIn(text)
      } catch (cause) {
        throw new AppError('UNAVAILABLE', 'The store does not answer', { cause })
      }
    },
  }
}
