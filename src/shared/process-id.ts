import { newId } from './ids.ts'

let id: string | undefined

/** Names the process that runs: an object that has slept finds the same one, or another after a crash, a deploy or a move. */
export const processId = (): string => (id ??= newId())
