import { useRef, useState } from 'preact/hooks'
import { ApiError } from '../../src/client/api-error.ts'
import type { Client } from '../../src/client/rest.ts'
import type { User } from '../../src/client/session.ts'
import { Mark } from './icons.tsx'

type Props = { client: Client; notice: string | undefined; onSignedIn: (user: User) => void }

const explain = (error: unknown): string => {
  if (!(error instanceof ApiError)) return 'Something went wrong. Please try again.'
  if (error.code === 'INVALID_CREDENTIALS') return 'E-mail address or password is wrong.'
  if (error.code === 'NETWORK') return 'The shop cannot be reached. Are you online?'
  if (error.code === 'RATE_LIMITED') {
    const minutes = Math.ceil((error.retryAfter ?? 60_000) / 60_000)
    return `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`
  }
  return 'Something went wrong on our side. Please try again.'
}

export const SignIn = ({ client, notice, onSignedIn }: Props) => {
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const email = useRef<HTMLInputElement>(null)
  const password = useRef<HTMLInputElement>(null)

  const submit = async (event: Event) => {
    event.preventDefault()
    if (isBusy) return
    setBusy(true)
    setProblem(undefined)
    try {
      const credentials = { email: email.current?.value ?? '', password: password.current?.value ?? '' }
      onSignedIn(await client.session.login({ ...credentials, device: 'Messages in a browser' }))
    } catch (error) {
      setProblem(explain(error))
      setBusy(false)
      password.current?.focus()
      password.current?.select()
    }
  }

  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <Mark />
        <h1 id="sign-in-title">Messages</h1>
        <p class="lead">Talk to the shop about your orders, live.</p>
        {notice !== undefined && problem === undefined && (
          <p class="notice" role="status">
            {notice}
          </p>
        )}
        <label>
          <span>E-mail address</span>
          <input ref={email} type="email" name="email" autocomplete="username" required autofocus />
        </label>
        <label>
          <span>Password</span>
          <input
            ref={password}
            type="password"
            name="password"
            autocomplete="current-password"
            required
            aria-describedby={problem === undefined ? undefined : 'sign-in-problem'}
            aria-invalid={problem === undefined ? undefined : true}
          />
        </label>
        <p class="problem" id="sign-in-problem" role="alert">
          {problem}
        </p>
        <button class="primary" type="submit" aria-disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
