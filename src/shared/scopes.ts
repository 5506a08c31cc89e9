/** What an API key may be given: `<resource>:read` and `<resource>:write`. Neither implies the other. */
export const scopes = [
  'categories:write',
  'orders:read',
  'orders:write',
  'products:read',
  'products:write',
  'reports:read',
  'reports:write',
] as const

export type Scope = (typeof scopes)[number]
