import { v7, validate } from 'uuid'

/** UUID v7 (RFC 9562): sorts by time of making, so that new rows land at the end of an index. */
export const newId = (): string => v7()

export const isUuid = (text: string): boolean => validate(text)
