import { createServer } from 'node:net'
import { createFrames, message } from './frames.ts'
import { listen } from './listen.ts'
import { createSessions } from './sessions.ts'
import { createTurns } from './turns.ts'
import type { Socket } from 'node:net'

/** One embedded PostgreSQL backend. */
export type Backend = {
  /** What a client gets after its startup message, up to ReadyForQuery. */
  greeting: Buffer
  execute(message: Uint8Array, onBytes: (bytes: Buffer) => void): Promise<void>
  inTransaction(): boolean
}

type Options = {
  backend: Backend
  port: number
  /** How long a client may sit idle in a transaction while another waits. */
  idleMs: number
  /** The backend threw: it is not usable any more. */
  onBroken: (error: unknown) => void
}

/** For a client that does not even read why it is dropped. */
const FAREWELL_MS = 1_000

const idleError = () => {
  const fields = {
    S: 'FATAL',
    V: 'FATAL',
    C: '25P03',
    M: 'terminating connection due to idle-in-transaction timeout',
  }
  const body = Object.entries(fields).map(([field, value]) => `${field}${value}\0`)
  return message('E', Buffer.from(`${body.join('')}\0`))
}

/**
 * Lets many TCP clients share one backend. A client holds the backend from the first message of a query cycle
 * to its end, and through a whole transaction; nobody's messages come between.
 */
export const startGateway = async ({ backend, port, idleMs, onBroken }: Options) => {
  const turns = createTurns()
  const sessions = createSessions(backend)
  const sockets = new Set<Socket>()

  const serve = (socket: Socket) => {
    const frames = createFrames()
    const units: { bytes: Buffer; complete: boolean }[] = []
    let holding = false
    let pumping = false
    let idle: NodeJS.Timeout | undefined

    const expire = () => {
      socket.end(idleError(), () => socket.destroy())
      setTimeout(() => socket.destroy(), FAREWELL_MS).unref()
    }
    const watchIdle = () => turns.whenWanted(() => (idle ??= setTimeout(expire, idleMs)))
    const unwatchIdle = () => {
      turns.whenWanted(undefined)
      clearTimeout(idle)
      idle = undefined
    }

    const hold = async () => {
      if (holding) return unwatchIdle()
      await turns.acquire()
      holding = true
    }

    const release = () => {
      holding = false
      turns.release()
    }

    const execute = async ({ bytes, complete }: { bytes: Buffer; complete: boolean }) => {
      await hold()
      if (socket.destroyed) return
      await sessions.enter(socket)
      await backend.execute(bytes, (answer) => socket.destroyed || socket.write(answer))
      if (complete && !backend.inTransaction()) release()
    }

    const leave = async () => {
      await hold()
      await sessions.leave(socket)
      release()
    }

    const pump = async () => {
      if (pumping) return
      pumping = true
      try {
        for (let unit = units.shift(); unit && !socket.destroyed; unit = units.shift()) await execute(unit)
        if (socket.destroyed) await leave()
        else if (holding) watchIdle()
      } catch (error) {
        onBroken(error)
      } finally {
        pumping = false
      }
    }

    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      for (const frame of frames.push(chunk)) {
        if (frame.kind === 'unit') units.push(frame)
        else if (frame.kind === 'encryption') socket.write('N')
        else if (frame.kind === 'startup') socket.write(backend.greeting)
        else return socket.destroy()
      }
      void pump()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      void pump()
    })
    sockets.add(socket)
  }

  const server = createServer(serve)
  const listening = await listen(server, port)

  return {
    port: listening,
    /** Drops all clients; ready when what was running has ended. */
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await turns.acquire()
    },
  }
}
