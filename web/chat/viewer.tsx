import { useEffect, useRef, useState } from 'preact/hooks'
import type { AttachedFile } from './api.ts'
import type { Files } from './files.ts'
import { Back, Close, Save } from './icons.tsx'

type Props = { images: AttachedFile[]; files: Files; first: number; onClose: () => void }

/** One picture as large as the window has room for; a dialog of the browser's, which keeps the focus and closes by Escape. */
export const Viewer = ({ images, files, first, onClose }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [n, setN] = useState(first)
  const [url, setUrl] = useState<string | null>()
  const image = images[n]
  useEffect(() => dialog.current?.showModal(), [])

  useEffect(() => {
    if (image === undefined) return
    let isOver = false
    setUrl(undefined)
    files.urlOf(image.id, 'full').then(
      (found) => !isOver && setUrl(found ?? null),
      () => !isOver && setUrl(null),
    )
    return () => {
      isOver = true
    }
  }, [image?.id])

  if (image === undefined) return null
  const go = (step: number) => setN((at) => Math.min(Math.max(at + step, 0), images.length - 1))
  const save = () => {
    const name = `${image.name.replace(/\.\w+$/, '')}.webp`
    if (typeof url === 'string')
      Object.assign(document.createElement('a'), { href: url, download: name }).click()
  }
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label={image.name}
      onClose={onClose}
      onClick={({ target, currentTarget }) => {
        if (target === currentTarget || (target as Element).classList.contains('viewer-stage')) {
          currentTarget.close()
        }
      }}
      onKeyDown={({ key }) => {
        if (key === 'ArrowLeft') go(-1)
        if (key === 'ArrowRight') go(1)
      }}
    >
      <header>
        <p aria-live="polite">
          {image.name}
          {images.length > 1 && (
            <span>
              {n + 1} of {images.length}
            </span>
          )}
        </p>
        <button class="round" onClick={save} aria-label="Save" title="Save" aria-disabled={!url}>
          <Save />
        </button>
        <button
          class="round"
          onClick={() => dialog.current?.close()}
          aria-label="Close"
          title="Close"
          autofocus
        >
          <Close />
        </button>
      </header>
      <div class="viewer-stage">
        {typeof url === 'string' && <img src={url} alt={image.name} />}
        {url === undefined && <span class="spinner" role="status" aria-label="Loading" />}
        {url === null && <p role="alert">This picture cannot be loaded.</p>}
      </div>
      {images.length > 1 && (
        <nav aria-label="Pictures">
          <button class="round" onClick={() => go(-1)} aria-label="Previous" aria-disabled={n === 0}>
            <Back />
          </button>
          <button
            class="round is-next"
            onClick={() => go(1)}
            aria-label="Next"
            aria-disabled={n === images.length - 1}
          >
            <Back />
          </button>
        </nav>
      )}
    </dialog>
  )
}
