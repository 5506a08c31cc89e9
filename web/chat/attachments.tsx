import { useState } from 'preact/hooks'
import type { Client } from '../../src/client/rest.ts'
import { Clip } from './icons.tsx'

/** Images have the first, a PDF has the second. */
const variants = ['full', 'original']

const nameOf = (disposition: string | null): string | undefined => {
  const [, encoded, plain] = /filename\*=UTF-8''([^;]+)|filename="([^"]+)"/.exec(disposition ?? '') ?? []
  return encoded === undefined ? plain : decodeURIComponent(encoded)
}

/** Files need the access token, which a plain link cannot carry: fetched first, then saved under their own name. */
const save = async (client: Client, id: string): Promise<void> => {
  const token = await client.session.accessToken()
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  for (const variant of variants) {
    const response = await fetch(`/api/v1/files/${id}/${variant}`, { headers })
    if (!response.ok) continue
    const url = URL.createObjectURL(await response.blob())
    const download = nameOf(response.headers.get('Content-Disposition')) ?? id
    Object.assign(document.createElement('a'), { href: url, download }).click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
    return
  }
  throw new Error('There is no such file, or it is not ours to see')
}

const Attachment = ({ id, label, client }: { id: string; label: string; client: Client }) => {
  const [problem, setProblem] = useState('')
  const open = async (event: Event) => {
    event.preventDefault()
    setProblem('')
    try {
      await save(client, id)
    } catch {
      setProblem(' could not be loaded')
    }
  }
  return (
    <li>
      <a class="file" href={`/api/v1/files/${id}/full`} onClick={(event) => void open(event)}>
        <Clip />
        <span>{label}</span>
      </a>
      <span role="alert">{problem}</span>
    </li>
  )
}

export const Attachments = ({ ids, client }: { ids: string[]; client: Client }) =>
  ids.length === 0 ? null : (
    <ul class="files" aria-label="Files">
      {ids.map((id, n) => (
        <Attachment key={id} id={id} label={ids.length === 1 ? 'File' : `File ${n + 1}`} client={client} />
      ))}
    </ul>
  )
