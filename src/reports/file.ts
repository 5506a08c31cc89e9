import type { Period } from './period.ts'

export const fileFormats = ['pdf', 'csv'] as const

export type FileFormat = (typeof fileFormats)[number]

export const mediaTypes: Record<FileFormat, string> = {
  pdf: 'application/pdf',
  csv: 'text/csv; charset=utf-8; header=present',
}

/** What the store tells of an object: bytes, and its ETag without quotes. */
export type Stored = { size: number; etag: string }

/** Of one run: a run that comes late or doubled writes beside the others, never over them. */
export type Build = { reportId: string; buildId: string }

export const keyOf = ({ reportId, buildId }: Build, format: FileFormat): string =>
  `reports/${reportId}/${buildId}.${format}`

export const keysOf = (build: Build): string[] => fileFormats.map((format) => keyOf(build, format))

export const fileName = ({ from, to }: Period, format: FileFormat): string =>
  `selvedge-report-${from === to ? from : `${from}-to-${to}`}.${format}`
