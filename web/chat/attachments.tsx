import { useState } from 'preact/hooks'
import type { Client } from '../../src/client/rest.ts'
import { Clip } from './icons.tsx'

/** Files need the access token, which a plain link cannot carry: fetched first, then saved under their own name. */
const save = async (client: Client, id: string): Promise<void> => {
  const token = await client.session.accessToken()
  const response = await fetch(`/api/v1/files/${id}/original`, {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  })
  if (!response.ok) throw new Error(`${response.status}`)
  const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? id
  const url = URL.createObjectURL(await response.blob())
  Object.assign(document.createElement('a'), { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
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
      <a class="file" href={`/api/v1/files/${id}/original`} onClick={(event) => void open(event)}>
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
