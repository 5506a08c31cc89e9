import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import { scopeOf, type Action, type ScopedAction } from '../shared/can.ts'
import type { ErrorCode } from '../shared/errors.ts'
import { idempotencyHeaders } from './idempotency.ts'
import { authenticate, authenticateUser, identify } from './middleware/authenticate.ts'
import {
  countsAsConfirm,
  countsAsEmailChange,
  countsAsFile,
  countsAsForgot,
  countsAsLogin,
  countsAsPassword,
  countsAsRegister,
  countsAsUpload,
  limited,
  streamed,
  takesKeys,
  unlimited,
} from './middleware/limit-marks.ts'
import { refuseUnstorableText } from './middleware/text.ts'
import { failures } from './openapi.ts'

type Definition<P extends string> = Omit<RouteConfig, 'path' | 'middleware' | 'security'> & {
  path: P
  operationId: string
  tags: [string]
  /** Domain codes of this operation; those of its body, query, path and access are added. */
  errors?: ErrorCode[]
  /** `none`: no limit counts it. Of the others, it counts as such an attempt too; as `file`, as such a one alone. */
  limits?: keyof typeof marks
  /** What it is in the table of shared/can.ts. */
  action?: Action
  /**
   * The handler reads the body as it comes: nothing else does, and no limit of the app but the handler's own holds for it.
   * Its schema is for the document alone, and none of zod's: of those validators are made.
   */
  streams?: true
}

const marks = {
  none: unlimited,
  login: countsAsLogin,
  forgot: countsAsForgot,
  file: countsAsFile,
  upload: countsAsUpload,
  register: countsAsRegister,
  confirm: countsAsConfirm,
  password: countsAsPassword,
  emailChange: countsAsEmailChange,
  usual: limited,
}

const codesOf = ({ request, errors = [], limits, streams }: Definition<string>): ErrorCode[] => [
  ...errors,
  ...(request?.params ? (['NOT_FOUND'] as const) : []),
  ...(request?.query ? (['VALIDATION_FAILED'] as const) : []),
  ...(request?.body ? (['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'VALIDATION_FAILED'] as const) : []),
  ...(request?.body && !streams ? (['MALFORMED_JSON'] as const) : []),
  ...(request?.headers === idempotencyHeaders
    ? (['IDEMPOTENCY_IN_FLIGHT', 'IDEMPOTENCY_KEY_REUSED', 'VALIDATION_FAILED'] as const)
    : []),
  ...(limits === 'none' ? [] : (['RATE_LIMITED'] as const)),
  'INTERNAL',
  'UNAVAILABLE',
]

const bearer = [{ bearer: [] }]

const document = <P extends string, R extends Definition<P>>(
  { errors: _, limits: __, action: ___, streams: ____, ...route }: R,
  codes: ErrorCode[],
) => ({
  ...route,
  // What the route itself says of a status wins: /ready answers 503 with its checks.
  responses: { ...failures(codes), ...route.responses } as R['responses'],
})

/** For everyone; credentials are not looked at. */
export const publicRoute = <P extends string, R extends Definition<P>>(route: R) =>
  createRoute({
    ...document<P, R>(route, codesOf(route)),
    middleware: [marks[route.limits ?? 'usual'], refuseUnstorableText(route.request)] as const,
  })

// FORBIDDEN too where no role is asked for: the actor guard refuses a token whose role was taken back.
const authenticated: ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN']

/** OpenAPI 3.1 (section 4.8.30) names roles in this place for what is not OAuth. */
const keyWith = (action: Action) => {
  const scope = scopeOf(action)
  return scope === undefined ? [] : [{ apiKey: [scope] }]
}

const insufficientFor = (action: Action): ErrorCode[] =>
  scopeOf(action) === undefined ? [] : ['INSUFFICIENT_SCOPE']

const keyMark = (action: Action) => (scopeOf(action) === undefined ? limited : takesKeys)

/** For everyone; a credential, when there is one, must be valid and sets `c.var.actor`. */
export const guestRoute = <P extends string, R extends Definition<P> & { action: Action }>(route: R) =>
  createRoute({
    ...document<P, R>(route, [...authenticated, ...insufficientFor(route.action), ...codesOf(route)]),
    security: [{}, ...bearer, ...keyWith(route.action)],
    middleware: [
      marks[route.limits ?? 'usual'],
      keyMark(route.action),
      identify(route.action),
      refuseUnstorableText(route.request),
    ] as const,
  })

/** For whoever may do its `action`: logged in, or with an API key that has the scope. */
export const scopedRoute = <P extends string, R extends Definition<P> & { action: ScopedAction }>(route: R) =>
  createRoute({
    ...document<P, R>(route, [...authenticated, ...insufficientFor(route.action), ...codesOf(route)]),
    security: [...bearer, ...keyWith(route.action)],
    middleware: [takesKeys, authenticate(route.action), refuseUnstorableText(route.request)] as const,
  })

/** For whoever is logged in, and may do its `action`. */
export const userRoute = <P extends string, R extends Definition<P>>(route: R) =>
  createRoute({
    ...document<P, R>(route, [...authenticated, ...codesOf(route)]),
    security: bearer,
    middleware: [
      marks[route.limits ?? 'usual'],
      route.streams ? streamed : limited,
      authenticateUser(route.action ?? 'self.manage'),
      refuseUnstorableText(route.streams ? undefined : route.request),
    ] as const,
  })

/** The same, for administrators alone. */
export const adminRoute = <P extends string, R extends Definition<P>>(route: R) =>
  createRoute({
    ...document<P, R>(route, [...authenticated, ...codesOf(route)]),
    security: bearer,
    middleware: [
      authenticateUser(route.action ?? 'admin.manage'),
      refuseUnstorableText(route.request),
    ] as const,
  })
