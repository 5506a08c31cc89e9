import type { Plan } from '../shared/plans.ts'
import type { Owner } from './record.ts'

/** At most `points` requests in any `windowMs`, by plan. */
export type PlanLimits = Record<Plan, { points: number; windowMs: number }>

/** One request with a key. Messages and answers only ever gain optional fields: see sliding-window.do.ts. */
export type Admit = { hash: string; limits: PlanLimits; requestId: string }

/** A limit of the owner's plan as the window told it. */
export type KeyVerdict = {
  plan: Plan
  points: number
  windowMs: number
  retryMs: number
  remaining: number
  resetAt: number
}

/** `limited` knows the owner as well as `admitted`; `refused` is unknown, revoked or expired. */
export type Admission =
  | { outcome: 'admitted' | 'limited'; owner: Owner; verdict: KeyVerdict }
  | { outcome: 'refused' | 'unknowable' }
