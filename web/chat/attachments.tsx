import { useEffect, useRef, useState } from 'preact/hooks'
import type { AttachedFile } from './api.ts'
import { isImage, type Files } from './files.ts'
import { Broken, Page } from './icons.tsx'
import { fillsBox } from './fills-box.ts'
import { useNear } from './use-near.ts'
import { Viewer } from './viewer.tsx'

type State = { url?: string; problem?: 'gone' | 'away' }

/** Fetched when it comes near to what is seen, and not before. */
const useImage = (files: Files, id: string, variant: string) => {
  const element = useRef<HTMLButtonElement>(null)
  const [state, setState] = useState<State>({})
  const [tries, setTries] = useState(0)
  const isNear = useNear(element, '400px')
  useEffect(() => {
    if (!isNear) return
    let isOver = false
    files.urlOf(id, variant).then(
      (url) => !isOver && setState(url === undefined ? { problem: 'gone' } : { url }),
      () => !isOver && setState({ problem: 'away' }),
    )
    return () => {
      isOver = true
    }
  }, [files, id, variant, tries, isNear])
  const retry = () => {
    setState({})
    setTries((n) => n + 1)
  }
  return { element, state, retry }
}

/** Pixels of a side of `thumb`; it is made as large also of what is smaller. */
const thumb = 150

const coversThumb = ({ variants }: AttachedFile): boolean => {
  const { width = 0, height = 0 } = variants.find(({ name }) => name === 'full') ?? {}
  return width >= thumb && height >= thumb
}

type ImageProps = { file: AttachedFile; files: Files; isAlone: boolean; onOpen: () => void }

const Image = ({ file, files, isAlone, onOpen }: ImageProps) => {
  const variant = isAlone || !coversThumb(file) ? 'medium' : 'thumb'
  const { element, state, retry } = useImage(files, file.id, variant)
  const [isFilling, setFilling] = useState(false)
  const { width, height } = file.variants.find(({ name }) => name === variant) ?? {}
  // Its place is there before it is: nothing jumps.
  const size = isAlone && width !== undefined && height !== undefined ? { width, height } : undefined
  const { url, problem } = state
  return (
    <li>
      <button
        ref={element}
        type="button"
        class={`picture ${url === undefined && problem === undefined ? 'is-loading' : ''} ${isFilling ? 'is-filling' : ''}`}
        style={size && { aspectRatio: `${size.width} / ${size.height}`, '--width': `${size.width}px` }}
        aria-label={problem === undefined ? `Open ${file.name}` : `${file.name} cannot be shown`}
        aria-disabled={problem === 'gone'}
        onClick={() => {
          if (problem === 'away') retry()
          else if (problem === undefined) onOpen()
        }}
      >
        {url !== undefined && (
          <img
            src={url}
            alt={file.name}
            draggable={false}
            onLoad={({ currentTarget }) => setFilling(fillsBox(currentTarget))}
          />
        )}
        {problem !== undefined && (
          <span class="picture-problem">
            <Broken />
            {problem === 'gone' ? 'Not available' : 'Try again'}
          </span>
        )}
      </button>
    </li>
  )
}

const Document = ({ file, files }: { file: AttachedFile; files: Files }) => {
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const save = async (event: Event) => {
    event.preventDefault()
    if (isBusy) return
    setProblem('')
    setBusy(true)
    try {
      await files.save(file.id, 'original', file.name)
    } catch {
      setProblem('This file cannot be loaded.')
    } finally {
      setBusy(false)
    }
  }
  const [original] = file.variants
  return (
    <li class="document">
      <a href={original?.url} aria-busy={isBusy} onClick={(event) => void save(event)}>
        <Page />
        <span class="document-name">{file.name}</span>
        <span class="document-kind">PDF</span>
      </a>
      <span role="alert">{problem}</span>
    </li>
  )
}

const layoutOf = (count: number): string => {
  if (count === 1) return 'is-one'
  return count === 2 || count === 4 ? 'is-even' : ''
}

/** Images to look at, and everything else to be saved. */
export const Attachments = ({ all, files }: { all: AttachedFile[]; files: Files }) => {
  const [opened, setOpened] = useState<number>()
  const images = all.filter(isImage)
  const others = all.filter((file) => !isImage(file))
  return (
    <>
      {images.length > 0 && (
        <ul class={`pictures ${layoutOf(images.length)}`} aria-label="Pictures">
          {images.map((file, n) => (
            <Image
              key={file.id}
              {...{ file, files }}
              isAlone={images.length === 1}
              onOpen={() => setOpened(n)}
            />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <ul class="documents" aria-label="Documents">
          {others.map((file) => (
            <Document key={file.id} {...{ file, files }} />
          ))}
        </ul>
      )}
      {opened !== undefined && (
        <Viewer {...{ images, files }} first={opened} onClose={() => setOpened(undefined)} />
      )}
    </>
  )
}
