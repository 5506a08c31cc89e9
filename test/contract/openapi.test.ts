import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createApp } from '../../src/app.ts'
import { KeySet, LoggedInUser, Login, Refresh, Session, TokenReply } from '../../src/auth/schema.ts'
import { ApiKey, ApiKeyUsage, CreateApiKey, NewApiKey, RotateApiKey } from '../../src/api-keys/schema.ts'
import { AttachedFile } from '../../src/chat/protocol.ts'
import * as chat from '../../src/chat/schema.ts'
import { AddFiles } from '../../src/chat/schema.files.ts'
import * as inbox from '../../src/inbox/schema.ts'
import * as direct from '../../src/uploads/schema.direct.ts'
import { Category, ChangeCategory, CreateCategory } from '../../src/categories/schema.ts'
import { readConfig } from '../../src/config.ts'
import { Health, Readiness } from '../../src/health/schema.ts'
import { describeApi } from '../../src/http/document.ts'
import { statuses } from '../../src/http/errors.ts'
import { Failure, listOf } from '../../src/http/openapi.ts'
import { DiscardJob, JobDetail, JobStats, JobSummary, JobTypeState, RedriveJobs, Redriven } from '../../src/jobs/schema.ts' // prettier-ignore
import { Receipt, WebhookMessage } from '../../src/mail/schema.ts'
import { ChangeStatus, Order, OrderDetail, PlaceOrder } from '../../src/orders/schema.ts'
import { ChangeProduct, ChangeStock, CreateProduct, Product } from '../../src/products/schema.ts'
import { Report, RequestReport } from '../../src/reports/schema.ts'
import { errorCodes } from '../../src/shared/errors.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { FileLink, MakeLink } from '../../src/uploads/schema.files.ts'
import {
  ChangeEmail,
  ChangePassword,
  ChangeUser,
  CreateUser,
  ForgotPassword,
  Register,
  Registered,
  ResendVerification,
  ResetPassword,
  User,
  VerifyEmail,
} from '../../src/users/schema.ts'
import { SweepOutcome, SweepUploads, Upload } from '../../src/uploads/schema.ts'
import { makeJwtKeys, makeTokenSecret } from '../../dev/secrets.ts'

const Media = z.object({
  schema: z.looseObject({}),
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
})

const Response = z.object({
  description: z.string().min(1),
  headers: z.record(z.string(), z.unknown()).optional(),
  content: z.record(z.string(), Media).optional(),
})

const Parameter = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
})

const Operation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(Parameter).optional(),
  requestBody: z.object({ required: z.literal(true), content: z.record(z.string(), Media) }).optional(),
  responses: z.record(z.string(), Response),
})

const Document = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  components: z.object({
    schemas: z.record(z.string(), z.looseObject({ example: z.unknown() })),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
  paths: z.record(
    z.string(),
    z.record(z.enum(['get', 'post', 'put', 'patch', 'delete']), Operation.optional()),
  ),
})

const config = readConfig({
  ENVIRONMENT: 'test',
  LOG_LEVEL: 'error',
  CORS_ORIGINS: '',
  JWT_ISSUER: 'http://127.0.0.1',
  JWT_AUDIENCE: 'selvedge',
  JWT_KEYS: makeJwtKeys(),
  EMAIL_VERIFICATION: 'optional',
  TOKEN_SECRET: makeTokenSecret(),
  DATABASE_URL: 'postgres://127.0.0.1/none',
  DATABASE_FETCH_ENDPOINT: '',
  DATABASE_TIMEOUT_MS: '1000',
  LIMITS: '{}',
  JOB_RUNNER: 'queue',
  OPS_WEBHOOK_URL: 'none',
  UPSTASH_REDIS_REST_URL: '',
  UPSTASH_REDIS_REST_TOKEN: 'none',
  MAIL: 'off',
  RESEND_API_KEY: 'none',
  RESEND_WEBHOOK_SECRET: 'none',
  RESEND_BASE_URL: '',
  MAIL_FROM: 'mail@selvedge.test',
  OPS_EMAIL: '',
  S3_ENDPOINT: '',
  S3_BUCKET: 'selvedge-files',
  S3_ACCESS_KEY_ID: 'none',
  S3_SECRET_ACCESS_KEY: 'none',
  UPLOAD_MAX_BYTES: '52428800',
  UPLOAD_QUOTA_BYTES: '1073741824',
  UPLOAD_QUOTA_FILES: '1000',
  APP_URL: 'http://127.0.0.1',
  BREACH_CHECK_URL: '',
  SCANNER_URL: 'off',
})

const app = createApp({
  config,
  log: createLogger({ level: 'error', pretty: false }),
  servicesOf: () => {
    throw new Error('The document needs no service')
  },
})

const raw: unknown = JSON.parse(JSON.stringify(describeApi(app)))
const document = Document.parse(raw)

/** Handlers that read a body as it comes: a file, and no JSON. */
const streaming = ['uploadFile']

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    operation === undefined ? [] : [{ path, method, ...operation }],
  ),
)

const named = operations.map((operation) => [operation.operationId, operation] as const)

type Operation = (typeof operations)[number]

const codesOf = ({ responses }: Operation, status: number): string[] =>
  Object.keys(responses[status]?.content?.['application/json']?.examples ?? {})

/** The schemas behind the document's components. */
const schemas: Record<string, z.ZodType> = {
  AbortedMultipartUpload: direct.AbortedMultipart,
  AddFiles,
  AddMember: chat.AddMember,
  AttachedFile,
  ApiKey,
  ApiKeyUsage,
  BeginMultipartUpload: direct.BeginMultipart,
  BegunMultipartUpload: direct.BegunMultipart,
  CompleteMultipartUpload: direct.CompleteMultipart,
  CompletedMultipartUpload: direct.CompletedMultipart,
  Conversation: chat.Conversation,
  ConversationDetail: chat.ConversationDetail,
  ConversationMember: chat.ConversationMember,
  CreateApiKey,
  MarkAllRead: inbox.MarkAllRead,
  MarkRead: chat.MarkRead,
  Message: chat.Message,
  NewApiKey,
  Notification: inbox.StoredNotification,
  NotificationList: inbox.NotificationList,
  OpenConversation: chat.OpenConversation,
  PresignUpload: direct.Presign,
  PresignedUpload: direct.Presigned,
  ReadMark: chat.ReadMark,
  RequestTicket: inbox.RequestTicket,
  RotateApiKey,
  SendMessage: chat.SendMessage,
  SignedPart: direct.SignedPart,
  SocketTicket: inbox.SocketTicket,
  StoredParts: direct.StoredParts,
  FileLink,
  MakeLink,
  Category,
  ChangeCategory,
  ChangePassword,
  ChangeEmail,
  ChangeProduct,
  ChangeStatus,
  ChangeStock,
  ChangeUser,
  CreateCategory,
  CreateProduct,
  CreateUser,
  DiscardJob,
  Error: Failure,
  ForgotPassword,
  Health,
  Job: JobSummary,
  JobDetail,
  JobStats,
  JobTypeState,
  KeySet,
  LoggedInUser,
  Login,
  MailEvent: WebhookMessage,
  MailEventReceipt: Receipt,
  Order,
  OrderDetail,
  Pagination: listOf(Product).shape.pagination,
  PlaceOrder,
  Product,
  Readiness,
  RedriveJobs,
  Redriven,
  Refresh,
  Register,
  Registered,
  Report,
  RequestReport,
  ResendVerification,
  ResetPassword,
  Session,
  SweepOutcome,
  SweepUploads,
  TokenReply,
  Upload,
  User,
  VerifyEmail,
}

/** One and the same operation finds what there is or makes it, and says which. */
const findsOrMakes = ['openConversation']

/** Made or accepted, without a place of its own: the answer says the same whether an address is taken; a part of another. */
const withoutPlace = ['register', 'changeEmail', 'sendMessage', 'issueSocketTicket']

/** Codes beyond those that follow from what an operation takes. */
const more: Record<string, string[]> = {
  // Their bodies name what is asked for.
  openConversation: ['NOT_FOUND'],
  issueSocketTicket: ['NOT_FOUND'],
  // It judges an object that was sent elsewhere.
  completeUpload: ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
  // The credential is a ticket, or any that HTTP takes.
  connectToConversation: ['UNAUTHENTICATED', 'FORBIDDEN'],
  connectToInbox: ['UNAUTHENTICATED'],
}

/** Codes that do not follow, although they do elsewhere. */
const fewer: Record<string, string[]> = {
  getReadiness: ['UNAVAILABLE'],
  uploadFile: ['MALFORMED_JSON'],
  // What is spent knows its own retries, and so does a room its messages: no reply is kept under the key.
  refreshSession: ['IDEMPOTENCY_IN_FLIGHT', 'IDEMPOTENCY_KEY_REUSED'],
  sendMessage: ['IDEMPOTENCY_IN_FLIGHT'],
}

/** Bodies that somebody else's program makes, with fields that are none of our business. */
const ofOthers = ['receiveMailEvent', 'beginMultipartUpload', 'completeMultipartUpload']

const Reference = z.object({ $ref: z.string() })
const OneOf = z.object({ anyOf: z.array(z.looseObject({})) })

/** A schema, and those that it is one of. */
const alternativesOf = (schema: object): object[] => {
  const { data: reference } = Reference.safeParse(schema)
  if (reference !== undefined) {
    const name = reference.$ref.replace('#/components/schemas/', '')
    return alternativesOf(document.components.schemas[name] ?? {})
  }
  const { data: one } = OneOf.safeParse(schema)
  return one === undefined ? [schema] : one.anyOf.flatMap(alternativesOf)
}

describe('the document', () => {
  it('has the version of the package and a description of every tag', () => {
    expect(document.info.version).toMatch(/^\d+\.\d+\.\d+$/)
    const used = new Set(operations.flatMap(({ tags }) => tags))
    expect(document.tags.map(({ name }) => name).toSorted()).toEqual([...used].toSorted())
  })

  it('gives every operation an id of its own', () => {
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThan(20)
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/)
  })

  it('has every route of the app but pages and itself', () => {
    const undocumented = ['/', '/api/docs', '/api/v1/openapi.json']
    const routes = app.routes.flatMap(({ method, path }) =>
      method === 'ALL' || method === 'OPTIONS' || undocumented.includes(path)
        ? []
        : [`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`],
    )
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect([...new Set(routes)].toSorted()).toEqual(documented.toSorted())
  })

  it('resolves every reference', () => {
    const references = [...JSON.stringify(raw).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target)
    expect(references.length).toBeGreaterThan(50)
    for (const target of new Set(references)) {
      expect(Object.keys(document.components.schemas)).toContain(target?.replace('#/components/schemas/', ''))
    }
  })

  it('has patterns that validators understand', () => {
    const patterns = [...JSON.stringify(raw).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, text]) =>
      String(JSON.parse(text ?? '')),
    )
    expect(patterns.length).toBeGreaterThan(5)
    for (const pattern of patterns) {
      expect(() => new RegExp(pattern, 'u')).not.toThrow()
      expect(pattern).not.toMatch(/\/[dgimsuvy]+$/)
    }
  })

  it('names its two credentials, and every demand is for one of them', () => {
    expect(Object.keys(document.components.securitySchemes)).toEqual(['bearer', 'apiKey'])
    const demanded = operations.flatMap(({ security = [] }) =>
      security.flatMap((scheme) => Object.keys(scheme)),
    )
    expect([...new Set(demanded)]).toEqual(['bearer', 'apiKey'])
  })

  it('documents every error code at its status, but those that belong to no operation', () => {
    const documented = operations.flatMap((operation) =>
      Object.keys(operation.responses).flatMap((status) =>
        codesOf(operation, Number(status)).map((code) => `${code} ${status}`),
      ),
    )
    const nowhere = ['METHOD_NOT_ALLOWED']
    const expected = errorCodes.filter((code) => !nowhere.includes(code))
    expect([...new Set(documented)].toSorted()).toEqual(
      expected.map((code) => `${code} ${statuses[code]}`).toSorted(),
    )
  })
})

describe.each(named)('the operation %s', (_, operation) => {
  it('has one tag, a summary and a description of each answer', () => {
    expect(operation.tags).toHaveLength(1)
    expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0])
    expect(operation.summary).toMatch(/^[A-Z].{5,100}$/)
  })

  it('documents one success, with a body that names its schema or none', () => {
    const { operationId } = operation
    const successes = Object.entries(operation.responses).filter(([status]) =>
      /^(?:101|2(?!06))/.test(status),
    )
    expect(successes).toHaveLength(findsOrMakes.includes(operationId) ? 2 : 1)
    for (const [status, { content, headers }] of successes) {
      expect(content === undefined).toBe(['101', '204'].includes(status))
      const makes = ['201', '202'].includes(status) && !withoutPlace.includes(operationId)
      expect(headers?.['Location'] !== undefined).toBe(makes)
      for (const [type, { schema }] of Object.entries(content ?? {})) {
        if (type === 'application/json') expect(JSON.stringify(schema)).toContain('$ref')
        else if (type === 'text/event-stream') expect(schema).toEqual({ type: 'string' })
        else expect(schema).toEqual({ type: 'string', format: 'binary' })
      }
    }
  })

  it('documents what can go wrong, with an example of each code', () => {
    const { operationId, security, requestBody, parameters = [] } = operation
    const takesKey = parameters.some(({ name }) => name === 'idempotency-key')
    const takes = (where: string) => parameters.some(({ in: place }) => place === where)
    const expected: [boolean, number, string][] = [
      [true, 500, 'INTERNAL'],
      [true, 503, 'UNAVAILABLE'],
      [security !== undefined, 401, 'UNAUTHENTICATED'],
      [security !== undefined, 403, 'FORBIDDEN'],
      [security?.some((scheme) => 'apiKey' in scheme) ?? false, 403, 'INSUFFICIENT_SCOPE'],
      [requestBody !== undefined, 400, 'MALFORMED_JSON'],
      [requestBody !== undefined, 413, 'PAYLOAD_TOO_LARGE'],
      [requestBody !== undefined, 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [requestBody !== undefined || takes('query') || takesKey, 422, 'VALIDATION_FAILED'],
      [takes('path'), 404, 'NOT_FOUND'],
      [takesKey, 409, 'IDEMPOTENCY_IN_FLIGHT'],
      [takesKey, 422, 'IDEMPOTENCY_KEY_REUSED'],
    ]
    for (const [follows, status, code] of expected) {
      const isIn = (list: Record<string, string[]>) => list[operationId]?.includes(code) ?? false
      const demanded = isIn(more) || (follows && !isIn(fewer))
      if (demanded) expect(codesOf(operation, status), `${status}`).toContain(code)
      else expect(codesOf(operation, status), `${status}`).not.toContain(code)
    }
  })

  it('has error examples that are such errors', () => {
    for (const [status, { content }] of Object.entries(operation.responses)) {
      for (const [code, { value }] of Object.entries(content?.['application/json']?.examples ?? {})) {
        const { error } = Failure.strict().parse(value)
        expect(error.code).toBe(code)
        expect(statuses[error.code]).toBe(Number(status))
      }
    }
  })

  it('declares each parameter of its path as required', () => {
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declared = (operation.parameters ?? []).filter(({ in: place }) => place === 'path')
    expect(declared.map(({ name }) => name)).toEqual(inPath)
    for (const { required } of declared) expect(required).toBe(true)
  })

  it('takes its body by a schema that admits no unknown field', () => {
    const { operationId, requestBody } = operation
    if (requestBody === undefined || [...streaming, ...ofOthers].includes(operationId)) return
    expect(Object.keys(requestBody.content)).toEqual(['application/json'])
    const schema = requestBody.content['application/json']?.schema ?? {}
    expect(Reference.safeParse(schema).success).toBe(true)
    for (const one of alternativesOf(schema)) expect(one).toHaveProperty('additionalProperties', false)
  })
})

describe('a component', () => {
  it('is one of the schemas that are known here', () => {
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(Object.keys(schemas).toSorted())
  })

  it.each(Object.entries(schemas))('%s has an example that fits its own schema', (name, schema) => {
    const { example } = document.components.schemas[name] ?? {}
    expect(example).toBeDefined()
    const parsed = schema.parse(example)
    // No example holds what its schema does not know.
    expect(parsed).toMatchObject(example as object)
  })
})
