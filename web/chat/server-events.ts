/** An event of `GET /api/v1/events`; `data` is what the API says it is for that name. */
export type ServerEvent = { name: string; data: unknown; id: string | undefined }

/**
 * Reads Server-Sent Events (WHATWG HTML, 9.2.6) as the API writes them: lines end with LF, an event has one line of data.
 * `onSign` is called with whatever comes, the comments that keep the stream alive among it.
 */
export const readEvents = async (
  body: ReadableStream<Uint8Array>,
  hear: (event: ServerEvent) => void,
  onSign: () => void,
): Promise<void> => {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    onSign()
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').flatMap((line): [string, string][] => {
          const [, name, text = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
          return name === undefined ? [] : [[name, text]]
        }),
      )
      const [name, data] = [fields.get('event'), fields.get('data')]
      if (name !== undefined && data !== undefined) {
        hear({ name, data: JSON.parse(data) as unknown, id: fields.get('id') })
      }
    }
  }
}
