import { once } from 'node:events'
import { connect } from 'node:net'

const host = '127.0.0.1'
const usualPort = 3310
const patienceMs = 500

/** Does a clamd answer there? */
const answersPing = async (port: number): Promise<boolean> => {
  const socket = connect({ host, port, signal: AbortSignal.timeout(patienceMs) })
  try {
    await once(socket, 'connect')
    socket.write('zPING\0')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString() === 'PONG\0'
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** SCANNER_URL when it was left empty: a clamd that listens where it usually does, else none. */
export const findScanner = async (port = usualPort): Promise<string> =>
  (await answersPing(port)) ? `tcp://${host}:${port}` : 'off'

/** For the terminal. */
export const scannerName = (url: string): string =>
  url === 'off' ? 'off: files are not scanned, and marked as skipped' : `clamd, ${url}`
