import { useEffect, useMemo, useState } from 'preact/hooks'
import type { User } from '../../src/client/session.ts'
import { openClient } from './api.ts'
import { Mark } from './icons.tsx'
import { Inbox } from './inbox.tsx'
import { SignIn } from './sign-in.tsx'

/** `undefined`: not known yet. */
type Who = User | null | undefined

export const App = () => {
  const [who, setWho] = useState<Who>(undefined)
  const [isEnded, setEnded] = useState(false)
  const [isAway, setAway] = useState(false)

  const client = useMemo(
    () =>
      openClient(() => {
        setEnded(true)
        setWho(null)
      }),
    [],
  )

  const restore = () => {
    setAway(false)
    client.session.restore().then(
      (user) => setWho(user ?? null),
      () => setAway(true),
    )
  }
  useEffect(restore, [])

  if (who === undefined) {
    return (
      <main class="splash" aria-busy={!isAway}>
        <Mark />
        {isAway ? (
          <div role="alert">
            <p>The shop cannot be reached.</p>
            <button class="primary" onClick={restore}>
              Try again
            </button>
          </div>
        ) : (
          <p role="status">Opening your messages…</p>
        )}
      </main>
    )
  }
  if (who === null) {
    return (
      <SignIn
        client={client}
        notice={isEnded ? 'Your session has ended. Please sign in again.' : undefined}
        onSignedIn={(user) => {
          setEnded(false)
          setWho(user)
        }}
      />
    )
  }
  return (
    <Inbox
      key={who.id}
      client={client}
      user={who}
      onSignedOut={() => {
        setEnded(false)
        setWho(null)
      }}
    />
  )
}
