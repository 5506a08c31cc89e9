import { z } from 'zod'
import { api } from './edge-api.ts'

const Parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  schema: z.looseObject({ example: z.unknown().optional() }),
})

const Operation = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(Parameter).optional(),
  requestBody: z
    .object({
      content: z.object({
        'application/json': z.object({ schema: z.object({ $ref: z.string() }) }).optional(),
      }),
    })
    .optional(),
})

const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.object({ example: z.unknown() })) }),
})

type Described = z.infer<typeof Operation>

/** Of an operation that takes no JSON but a file. */
const file = { raw: '%PDF-1.7', headers: { 'Content-Type': 'application/pdf', 'X-File-Name': 'a.pdf' } }

const pathOf = (path: string, { parameters = [] }: Described): string => {
  const filled = parameters.reduce(
    (rest, { name, in: where, schema }) =>
      where === 'path' && name !== 'id' ? rest.replace(`{${name}}`, String(schema['example'] ?? 1)) : rest,
    path,
  )
  const query = parameters.filter(({ in: where, required }) => where === 'query' && required)
  if (query.length === 0) return filled
  return `${filled}?${new URLSearchParams(query.map(({ name, schema }) => [name, String(schema['example'])]))}`
}

/**
 * Every operation of the OpenAPI document as a request that is valid for whoever may make it: its own example, and in
 * the path `{id}` where that is to be put in.
 */
export const operationsOfDocument = async () => {
  const { paths, components } = Document.parse((await api('GET', '/api/v1/openapi.json')).body)
  const sentTo = ({ requestBody }: Described) => {
    if (requestBody === undefined) return {}
    const name = requestBody.content['application/json']?.schema.$ref.split('/').at(-1)
    return name === undefined ? file : { body: components.schemas[name]?.example }
  }
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      id: operation.operationId,
      security: operation.security ?? [],
      method: method.toUpperCase(),
      path: pathOf(path, operation),
      sent: sentTo(operation),
    })),
  )
}

export type DocumentedOperation = Awaited<ReturnType<typeof operationsOfDocument>>[number]
