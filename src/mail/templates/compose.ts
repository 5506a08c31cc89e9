import type { JSX } from 'hono/jsx/jsx-runtime'
import type { RenderedLetter } from '../letter.ts'

type Parts = { subject: string; html: JSX.Element; text: string[] }

/** One line for a header or a subject: names come from people, and a line break would begin another header. */
const oneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()

/** HTML with its doctype, and the text part: the subject, then paragraphs. Templates are synchronous. */
export const compose = ({ subject, html, text }: Parts): RenderedLetter => ({
  subject: oneLine(subject),
  // oxlint-disable-next-line typescript/no-base-to-string -- hono's type also admits promises of asynchronous components
  html: `<!doctype html>${String(html)}`,
  text: `${[subject, ...text].join('\n\n')}\n`,
})
