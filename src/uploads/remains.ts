/** What may be left in R2 of an upload whose row is gone. */
export type Remains = { uploadId: string; multipartId: string | null }
