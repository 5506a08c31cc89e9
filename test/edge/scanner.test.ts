import { expect, it } from 'vitest'
import { LaterError } from '../../src/shared/later-error.ts'
import { createScanner } from '../../src/uploads/scanner.ts'
import { contentOf, describeWithClamd, eicar, eicarSignature } from '../support/edge-clamd.ts'

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

const mebibyte = 1024 * 1024

const signal = new AbortController().signal

const scanOn = async (port: number, content: ReturnType<typeof contentOf>) =>
  await createScanner({ url: `tcp://127.0.0.1:${port}` }).scan(content, signal)

const found = { status: 'infected', signature: eicarSignature }

const noise = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let from = 0; from < length; from += 65_536)
    crypto.getRandomValues(bytes.subarray(from, from + 65_536))
  return bytes
}

const megabytes = (count: number): Uint8Array[] => Array.from({ length: count }, () => noise(mebibyte))

describeWithClamd('a scan by clamd, over the sockets of the runtime', (clamds) => {
  it('finds a file clean, of one byte and of fifty megabytes', async () => {
    expect(await scanOn(clamds.usual, contentOf([text('a')]))).toEqual({ status: 'clean' })
    expect(await scanOn(clamds.usual, contentOf(megabytes(50)))).toEqual({ status: 'clean' })
  })

  it('finds EICAR plain, inside a PDF, after the header of a JPEG, and across two chunks', async () => {
    const pdf = [
      text('%PDF-1.7\n1 0 obj << /Length 68 >> stream\n'),
      eicar,
      text('\nendstream endobj\n%%EOF'),
    ]
    const jpeg = [new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1]), eicar]
    const far = [...megabytes(30), eicar.subarray(0, 20), eicar.subarray(20), ...megabytes(2)]
    for (const pieces of [[eicar], pdf, jpeg, far]) {
      expect(await scanOn(clamds.usual, contentOf(pieces))).toEqual(found)
    }
  })

  it('is an error, and not clean, when the file is beyond StreamMaxLength', async () => {
    const content = contentOf(megabytes(8))
    await expect(scanOn(clamds.short, content)).rejects.toThrow('beyond a limit of the scanner')
  })

  it('is an error, and not clean, when it is beyond MaxFileSize and clamd says so', async () => {
    const large = contentOf([...megabytes(3), eicar])
    await expect(scanOn(clamds.honest, large)).rejects.toThrow('beyond a limit of the scanner')
    expect(await scanOn(clamds.honest, contentOf([eicar]))).toEqual(found)
  })

  it('would be clean without AlertExceedsMax, which is why the runbook demands it', async () => {
    expect(await scanOn(clamds.silent, contentOf([...megabytes(3), eicar]))).toEqual({ status: 'clean' })
  })

  it('is for later when clamd is stopped in the middle, and works once it is back', async () => {
    const steer = async (what: string) =>
      expect((await fetch(`${clamds.control}/${what}`, { method: 'POST' })).ok).toBe(true)
    const kill = async (piece: number) => void (piece === 10 && (await steer('kill')))
    const content = contentOf(megabytes(20), kill)
    await expect(scanOn(clamds.mortal, content)).rejects.toThrow(LaterError)
    await expect(scanOn(clamds.mortal, contentOf([text('a')]))).rejects.toThrow(
      'The scanner cannot be reached',
    )
    await steer('start')
    expect(await scanOn(clamds.mortal, contentOf([eicar]))).toEqual(found)
  })

  it('is an error when the file ends before its size', async () => {
    const content = contentOf([text('half of it')])
    await expect(scanOn(clamds.usual, { ...content, size: 20 })).rejects.toThrow('10 bytes in place of 20')
  })

  it('throws what reading the file throws, and it is not the fault of the scanner', async () => {
    const lost = () => Promise.reject(new Error('R2 is away'))
    const failure = await scanOn(clamds.usual, contentOf([text('a')], lost)).catch((error: unknown) => error)
    expect(failure).toEqual(new Error('R2 is away'))
  })

  it('ends when the job is over', async () => {
    const controller = new AbortController()
    const content = contentOf(
      megabytes(10),
      async (piece) => void (piece === 3 && controller.abort(new Error('over'))),
    )
    const scanner = createScanner({ url: `tcp://127.0.0.1:${clamds.usual}` })
    await expect(scanner.scan(content, controller.signal)).rejects.toThrow()
    await expect(scanner.scan(contentOf([text('a')]), controller.signal)).rejects.toThrow('over')
    expect(content.pulled()).toBeLessThan(10)
  })

  it('over TLS does not fall back to plain text', async () => {
    const scanner = createScanner({ url: `tls://127.0.0.1:${clamds.usual}` })
    await expect(scanner.scan(contentOf([text('a')]), signal)).rejects.toThrow(LaterError)
  })
})
