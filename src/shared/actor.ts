export const roles = ['user', 'admin'] as const

export type Role = (typeof roles)[number]

/** Who acts, as the access token claims; the database confirms it in the same batch (auth/actor-guard.ts). */
export type Actor = { kind: 'user'; id: string; role: Role; sessionId: string }
