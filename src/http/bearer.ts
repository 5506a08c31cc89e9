/** The token of `Authorization: Bearer` (RFC 6750); undefined when the header is absent or of another form. */
export const bearerOf = (header: string | undefined): string | undefined =>
  /^bearer ([\w.~+/=-]+)$/i.exec(header ?? '')?.[1]
