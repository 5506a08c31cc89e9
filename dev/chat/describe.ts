/** An error in a line. */
export const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : ''
  const details = 'details' in error && error.details !== undefined ? ` ${JSON.stringify(error.details)}` : ''
  return `${code}${error.message}${details}`
}
