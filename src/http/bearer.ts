/** Whether a token is meant as an API key: nothing else that we make begins like this. */
export const isApiKey = (token: string): boolean => token.startsWith('sk_')

/** The token of `Authorization: Bearer` (RFC 6750); undefined when the header is absent or of another form. */
export const bearerOf = (header: string | undefined): string | undefined =>
  /^bearer ([\w.~+/=-]+)$/i.exec(header ?? '')?.[1]
