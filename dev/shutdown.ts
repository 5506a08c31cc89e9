type Step = { name: string; run: (hurry: AbortSignal) => unknown }

const limitMs = 9_500
// On Ctrl-C the terminal signals us, and npm passes its own signal on as well: that is one Ctrl-C, not two.
const sameKeyMs = 500

/**
 * Undoes what was started, the latest first, each step once. A second signal makes it hurry; when the limit is
 * reached, `kill` ends what is left and the process goes.
 */
export function createShutdown(log: (message: string) => void) {
  const steps: Step[] = []
  const kills: (() => unknown)[] = []
  const hurry = new AbortController()
  let running: Promise<void> | undefined
  let firstSignal = 0

  async function undo(): Promise<void> {
    for (let step = steps.pop(); step; step = steps.pop()) {
      try {
        await step.run(hurry.signal)
      } catch (error) {
        log(`${step.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }

  function stop(code: number): Promise<never> {
    setTimeout(() => process.exit(1), limitMs).unref()
    running ??= undo()
    return running.then(() => process.exit(code))
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (firstSignal > 0) {
      if (performance.now() - firstSignal > sameKeyMs) hurry.abort()
      return
    }
    firstSignal = performance.now()
    log(`${signal}: finishing the requests in flight. Once more to hurry.`)
    void stop(0)
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  process.on('exit', () => kills.forEach((kill) => kill()))

  return {
    /** Undoes at once what comes into being while all is being undone. */
    add(name: string, run: Step['run']): void {
      steps.push({ name, run })
      if (running) running = running.then(undo)
    },
    /** Done synchronously when the process exits, however that comes about. */
    atExit: (kill: () => unknown) => void kills.push(kill),
    stop,
    get isRunning() {
      return running !== undefined
    },
  }
}
