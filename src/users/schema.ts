import { z } from '@hono/zod-openapi'
import { roles } from '../shared/actor.ts'
import { nameOf } from '../shared/name.ts'
import { plans } from '../shared/plans.ts'
import { pageFields, reachIssue, sortField, withinReach } from '../shared/query.ts'
import { passwordProblems } from './password-policy.ts'

const example = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
  name: 'Ada Byron',
  email: 'ada@selvedge.test',
  role: 'user' as const,
  plan: 'free' as const,
  verifiedAt: '2026-11-20T12:05:00.000Z',
  createdAt: '2026-11-20T12:00:00.000Z',
  updatedAt: '2026-11-20T12:00:00.000Z',
}

export const User = z
  .object({
    id: z.uuid(),
    name: z.string(),
    email: z.string(),
    role: z.enum(roles),
    plan: z.enum(plans).describe('How much its API keys may ask'),
    verifiedAt: z.iso.datetime().nullable().describe('When its address was confirmed'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('User', { example })

export type User = z.infer<typeof User>

const name = nameOf(2, 100)

const email = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email().max(254))
  // Where deleted accounts go; nobody's mail is there (RFC 2606).
  .refine((address) => !address.endsWith('.invalid'), 'must be an address that can receive mail')
  .openapi({ type: 'string', format: 'email', maxLength: 254 })

const password = z
  .string()
  .superRefine((text, context) => {
    for (const problem of passwordProblems(text)) context.addIssue(problem)
  })
  .openapi({
    minLength: 8,
    maxLength: 128,
    description: 'Upper and lower case, a digit and a symbol; not one of the 3,000 commonest passwords',
  })

const role = z.enum(roles)

export const CreateUser = z
  .strictObject({ name, email, password, role: role.default('user') })
  .openapi('CreateUser', {
    example: { name: example.name, email: example.email, password: 'Warp-and-Weft-7', role: 'user' },
  })

export type CreateUser = z.infer<typeof CreateUser>

export const ChangeUser = z
  .strictObject({
    name: name.optional(),
    email: email.optional().describe('Of others, as administrator; one’s own by POST /api/auth/change-email'),
    password: password.optional(),
    role: role.optional().describe('Administrators only'),
    plan: z.enum(plans).optional().describe('Administrators only'),
    currentPassword: z
      .string()
      .max(1_000)
      .optional()
      .describe('Required when an account changes its own password'),
  })
  .refine(({ currentPassword: _, ...change }) => Object.keys(change).length > 0, 'must change something')
  .openapi('ChangeUser', { example: { name: 'Ada Lovelace' } })

export type ChangeUser = z.infer<typeof ChangeUser>

export const ForgotPassword = z
  .strictObject({ email })
  .openapi('ForgotPassword', { example: { email: example.email } })

export type ForgotPassword = z.infer<typeof ForgotPassword>

export const ResetPassword = z
  .strictObject({ token: z.string().max(1_000), password })
  .openapi('ResetPassword', {
    example: { token: 'Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS', password: 'Warp-and-Weft-7' },
  })

export type ResetPassword = z.infer<typeof ResetPassword>

export const ChangePassword = z
  .strictObject({ currentPassword: z.string().max(1_000), password })
  .openapi('ChangePassword', {
    example: { currentPassword: 'Selvedge-Dev-1!', password: 'Warp-and-Weft-7' },
  })

export const Register = z.strictObject({ name, email, password }).openapi('Register', {
  example: { name: example.name, email: example.email, password: 'Warp-and-Weft-7' },
})

export type Register = z.infer<typeof Register>

export const Registered = z
  .object({ email: z.string().describe('Where a mail is on its way') })
  .openapi('Registered', { example: { email: example.email } })

export type Registered = z.infer<typeof Registered>

export const VerifyEmail = z
  .strictObject({ token: z.string().max(1_000) })
  .openapi('VerifyEmail', { example: { token: 'Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS' } })

export type VerifyEmail = z.infer<typeof VerifyEmail>

export const ResendVerification = z
  .strictObject({ email })
  .openapi('ResendVerification', { example: { email: example.email } })

export type ResendVerification = z.infer<typeof ResendVerification>

export const ChangeEmail = z
  .strictObject({ email, currentPassword: z.string().max(1_000) })
  .openapi('ChangeEmail', {
    example: { email: 'ada@people.example', currentPassword: 'Selvedge-Dev-1!' },
  })

export type ChangeEmail = z.infer<typeof ChangeEmail>

export const ListUsers = z
  .strictObject({
    ...pageFields,
    q: z.string().trim().min(2).max(100).optional().describe('Part of a name or e-mail'),
    role: role.optional(),
    sort: sortField(['createdAt', 'name', 'email'], '-createdAt'),
  })
  .refine(withinReach, reachIssue)

export type ListUsers = z.infer<typeof ListUsers>
