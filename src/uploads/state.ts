/**
 * receiving: its bytes are on their way · scanning: they are whole, in quarantine, and wait for or undergo the scan ·
 * processing: scanned, variants are made · ready: its variants can be read · infected, rejected: its bytes are gone, for
 * a signature or a reason that the row names · failed: given up; a retry of its job may still revive it.
 */
export const uploadStates = [
  'receiving',
  'scanning',
  'processing',
  'ready',
  'infected',
  'rejected',
  'failed',
] as const

export type UploadState = (typeof uploadStates)[number]

const next: Record<UploadState, readonly UploadState[]> = {
  receiving: ['scanning', 'rejected', 'failed'],
  scanning: ['processing', 'infected', 'rejected', 'failed'],
  processing: ['ready', 'infected', 'rejected', 'failed'],
  // An object that was lost.
  ready: ['failed'],
  infected: [],
  rejected: [],
  failed: ['scanning', 'processing'],
}

/** The states from which `to` may be reached. */
export const predecessorsOf = (to: UploadState): UploadState[] =>
  uploadStates.filter((from) => next[from].includes(to))

/** While it is in one of these, its object under quarantine/ is needed. */
export const quarantined = ['receiving', 'scanning', 'processing', 'failed'] as const

/** What counts against the quota of its owner: of the others no bytes are left. */
export const occupying = ['receiving', 'scanning', 'processing', 'ready', 'failed'] as const

/** In these nothing goes on any more. */
export const ended = ['ready', 'infected', 'rejected', 'failed'] as const

/** How the bytes come: through the Worker, by one signed PUT to R2, or in signed parts to R2. */
const ways = ['direct', 'presigned', 'multipart'] as const

export type Way = (typeof ways)[number]

export const scanVerdicts = ['clean', 'skipped'] as const

export type ScanVerdict = (typeof scanVerdicts)[number]
