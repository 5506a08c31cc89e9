/** Where a page ended, as an opaque text; `ListJobs` of schema.ts reads it. */
export const encodeCursor = (createdAt: string, id: string): string =>
  Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
