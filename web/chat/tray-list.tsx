import { fillsBox } from './fills-box.ts'
import { Broken, Close, Page } from './icons.tsx'
import type { Chosen } from './tray.ts'

const stateOf = ({ state, progress, problem }: Chosen): string => {
  if (state === 'uploading') return `${Math.floor(progress * 100)} %`
  if (state === 'checking') return 'Checking…'
  return state === 'failed' ? (problem ?? 'could not be uploaded') : ''
}

/** What a screen reader is told, once and not with each percent. */
const told = (all: readonly Chosen[]): string =>
  all
    .flatMap(({ name, state, problem }) => {
      if (state === 'failed') return [`${name} ${problem ?? ''}.`]
      return state === 'ready' ? [`${name} is ready.`] : []
    })
    .join(' ')

const pictureOf = ({ state, preview }: Chosen) => {
  if (state === 'failed') return <Broken />
  return preview === undefined ? <Page /> : <img src={preview} alt="" onLoad={fit} onError={hide} />
}

const fit = ({ currentTarget }: { currentTarget: HTMLImageElement }) =>
  void currentTarget.classList.toggle('is-filling', fillsBox(currentTarget))

/** It is none: the upload will say so. */
const hide = ({ currentTarget }: { currentTarget: HTMLImageElement }) => {
  currentTarget.hidden = true
}

type Props = { all: readonly Chosen[]; onRemove: (key: string) => void }

/** What goes with the next message. */
export const TrayList = ({ all, onRemove }: Props) => (
  <>
    <p class="hidden" role="status">
      {told(all)}
    </p>
    {all.length > 0 && (
      <ul class="tray" aria-label="Files of your message">
        {all.map((one) => (
          <li key={one.key} class={`chosen is-${one.state}`}>
            <span class="chosen-picture" aria-hidden="true">
              {pictureOf(one)}
              {(one.state === 'uploading' || one.state === 'checking') && <span class="spinner" />}
            </span>
            <span class="chosen-name">{one.name}</span>
            <span class="chosen-state">{stateOf(one)}</span>
            {one.state === 'uploading' && (
              <progress value={one.progress} max={1} aria-label={`${one.name}: uploading`} />
            )}
            <button
              type="button"
              class="chosen-remove"
              onClick={() => onRemove(one.key)}
              aria-label={`Remove ${one.name}`}
              title="Remove"
            >
              <Close />
            </button>
          </li>
        ))}
      </ul>
    )}
  </>
)
