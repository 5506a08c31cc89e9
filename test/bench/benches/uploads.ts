import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { peakOf } from '../../support/upload-load.ts'
import type { Bench, Context } from '../context.ts'
import { show, showMedian, showRatio } from '../format.ts'
import { productEnv, tokenFor } from '../product.ts'
import { inRounds } from '../rounds.ts'
import { startWithBucket } from '../runtime.ts'
import { median, ratio } from '../statistics.ts'

/** Bytes: the largest file that is taken. */
const fileSize = 52_428_800

const widths = [1, 8]

/** Begins as a PDF does; the rest is random, so that nothing on the way can make it smaller. */
const makeFile = (): Buffer => {
  const file = Buffer.alloc(fileSize)
  for (let from = 0; from < fileSize; from += 65_536)
    crypto.getRandomValues(file.subarray(from, from + 65_536))
  file.write('%PDF-1.7\n')
  return file
}

type Sending = { port: number; path: string; headers: Record<string, string>; parts: Buffer[] }

/** Sends the parts as one body of known length. */
const send = async ({ port, path, headers, parts }: Sending): Promise<string> => {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const outgoing = request({
    ...{ host: '127.0.0.1', port, path, method: 'POST', agent: false },
    headers: { ...headers, 'Content-Length': length },
  })
  for (const part of parts) outgoing.write(part)
  outgoing.end()
  const [incoming] = await once(outgoing, 'response')
  const body = await text(incoming)
  if (incoming.statusCode !== 201)
    throw new Error(`Expected 201, got ${incoming.statusCode}: ${body.slice(0, 1_000)}`)
  return body
}

type Contender = {
  pids: number[]
  upload: () => Promise<void>
  /** What was uploaded, so that no round meets the files of another. */
  clear: () => Promise<void>
  stop: () => Promise<void>
}

const Uploaded = z.object({ data: z.object({ id: z.string(), size: z.literal(fileSize) }) })

const openSelvedge = async ({ builds, databases }: Context, file: Buffer): Promise<Contender> => {
  const catalogue = await databases.catalogue(1_000)
  const quota = { UPLOAD_QUOTA_BYTES: '999999999999', UPLOAD_QUOTA_FILES: '1000000' }
  const { port, pids, stop } = await startWithBucket(await builds.of('selvedge'), {
    ...productEnv(catalogue.url, catalogue.endpoint),
    ...quota,
  })
  let token = await tokenFor(catalogue)
  let made: string[] = []
  return {
    ...{ pids, stop },
    async upload() {
      const headers = {
        ...{ Authorization: `Bearer ${token}`, 'Content-Type': 'application/pdf', 'X-File-Name': 'file.pdf' },
      }
      const reply = await send({ port, path: '/api/v1/uploads', headers, parts: [file] })
      made.push(Uploaded.parse(JSON.parse(reply)).data.id)
    },
    async clear() {
      token = await tokenFor(catalogue)
      for (const id of made) {
        const url = `http://127.0.0.1:${port}/api/v1/uploads/${id}`
        const { status } = await fetch(url, {
          method: 'DELETE',
          headers: { Authorization: `Bearer ${token}` },
        })
        if (status !== 204) throw new Error(`DELETE of an upload answers ${status}`)
      }
      made = []
    },
  }
}

/** A Worker that puts the same bytes into the same kind of bucket, and does nothing else. */
const openPut = async ({ builds }: Context, file: Buffer): Promise<Contender> => {
  const { port, pids, stop } = await startWithBucket(await builds.of('put'), {})
  let count = 0
  return {
    ...{ pids, stop },
    async upload() {
      await send({ port, path: `/${count++}`, headers: {}, parts: [file] })
    },
    async clear() {
      for (; count > 0; count--) await fetch(`http://127.0.0.1:${port}/${count - 1}`, { method: 'DELETE' })
    },
  }
}

const Listening = z.object({ port: z.number() })

const portOf = async (child: ChildProcess): Promise<number> => {
  const [said] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('Express ended before it listened'))),
  ])
  return Listening.parse(said).port
}

const Stored = z.object({ size: z.literal(fileSize) })

const openExpress = async (file: Buffer): Promise<Contender> => {
  const folder = mkdtempSync(join(tmpdir(), 'selvedge-multer-'))
  const child = fork(join(import.meta.dirname, '../rival.ts'), [folder], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  const port = await portOf(child)
  const boundary = 'selvedge-bench'
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="file.pdf"\r\n` +
      'Content-Type: application/pdf\r\n\r\n',
  )
  const parts = [head, file, Buffer.from(`\r\n--${boundary}--\r\n`)]
  const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}` }
  return {
    pids: [child.pid ?? 0],
    async upload() {
      Stored.parse(JSON.parse(await send({ port, path: '/uploads', headers, parts })))
    },
    clear: () => {
      for (const name of readdirSync(folder)) rmSync(join(folder, name))
      return Promise.resolve()
    },
    async stop() {
      const exited = once(child, 'exit')
      end()
      await exited
      process.off('exit', end)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Sample = { megabytesPerSecond: number; peakMiB: number }

/** All at once; the peak is the most that the process had in memory while it took them. */
const measure = async ({ upload, pids, clear }: Contender, width: number): Promise<Sample> => {
  const began = performance.now()
  let seconds = NaN
  const peak = await peakOf(pids, async () => {
    await Promise.all(Array.from({ length: width }, upload))
    seconds = (performance.now() - began) / 1_000
  })
  await clear()
  return {
    megabytesPerSecond: (width * fileSize) / 1_000_000 / seconds,
    peakMiB: peak / 1_048_576,
  }
}

const compare = async (
  rounds: number,
  { selvedge, put, express }: Record<'selvedge' | 'put' | 'express', Contender>,
  width: number,
) => {
  const contenders = {
    selvedge: () => measure(selvedge, width),
    put: () => measure(put, width),
    express: () => measure(express, width),
  }
  await inRounds(1, contenders) // to warm up
  const samples = await inRounds(rounds, contenders)
  const of = (name: keyof typeof samples, value: keyof Sample) => samples[name].map((sample) => sample[value])
  return {
    width,
    speeds: [of('selvedge', 'megabytesPerSecond'), of('express', 'megabytesPerSecond')] as const,
    putSpeed: of('put', 'megabytesPerSecond'),
    peaks: [of('selvedge', 'peakMiB'), of('put', 'peakMiB'), of('express', 'peakMiB')] as const,
  }
}

const run: Bench['run'] = async (context) => {
  const file = makeFile()
  const express = await openExpress(file)
  try {
    const put = await openPut(context, file)
    try {
      const selvedge = await openSelvedge(context, file)
      try {
        const found = []
        for (const width of widths)
          found.push(await compare(context.rounds, { selvedge, put, express }, width))
        return sectionOf(context.rounds, found)
      } finally {
        await selvedge.stop()
      }
    } finally {
      await put.stop()
    }
  } finally {
    await express.stop()
  }
}

type Found = Awaited<ReturnType<typeof compare>>

const sectionOf = (rounds: number, found: Found[]) => ({
  title: 'Uploads of 50 MB',
  method: `Raw uploads of ${fileSize} bytes through the Worker, whose local R2 writes to this machine's disk, against a bare
    Worker that only puts the same bytes into such a bucket, and against Express with multer's disk storage, which gets them
    as a form; ${rounds} rounds in turn after one to warm up, all of a round at once, its files removed after it. The memory
    of a Worker is that of its whole workerd process: Worker, local R2 with its SQLite, and the proxy between them. Selvedge
    also hashes each object (SHA-256), and writes its row and job.`,
  tables: [
    {
      head: ['At once', 'Selvedge', 'put alone', 'ratio', 'Express and multer', 'ratio'],
      rows: found.map(({ width, speeds, putSpeed }) => [
        String(width),
        showMedian(speeds[0], 'MB/s'),
        showMedian(putSpeed, 'MB/s'),
        showRatio(ratio(speeds[0], putSpeed)),
        showMedian(speeds[1], 'MB/s'),
        showRatio(ratio(...speeds)),
      ]),
      meaning: 'Throughput of all uploads of a round together.',
    },
    {
      head: ['At once', 'Selvedge', 'put alone', 'Express and multer'],
      rows: found.map(({ width, peaks }) => [String(width), ...peaks.map((peak) => showMedian(peak, 'MiB'))]),
      meaning: 'The most memory that the process had.',
    },
  ],
  aims: found.map(({ width, speeds, putSpeed }) => {
    const { value } = ratio(...speeds)
    return {
      text: `${width} at once are at least as fast as with Express and multer: ${show(value)}`,
      met: value >= 1,
      otherwise: `the local R2 alone takes no more than ${show(median(putSpeed))} MB/s, ${show(ratio(putSpeed, speeds[1]).value)}
        of Express: every byte passes from the Worker over a socket of the same process to the simulator, which writes it to
        a file by way of another service`,
    }
  }),
})

export const uploadsBench: Bench = {
  name: 'uploads',
  about: 'files of 50 MB against Express and multer',
  run,
}
