/** What an account may have at a time. */
export type Quota = { files: number; bytes: number }
