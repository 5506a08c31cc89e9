import { env } from 'cloudflare:workers'
import { z } from 'zod'
import { expect } from 'vitest'
import { startOnce } from '../../workers/api.ts'

type Responses = Record<string, { content?: Record<string, { schema: unknown; examples?: object }> }>

const routesOf = (env: Env) =>
  startOnce(env).app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === 'route' ? [definition.route] : [],
  )

const pattern = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)

const routeOf = (method: string, path: string) =>
  routesOf(env)
    .toSorted((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')))
    .find((route) => route.method === method.toLowerCase() && pattern(route.path).test(path))

const Failed = z.object({ error: z.object({ code: z.string() }) })

/** An answer of an operation is one that the OpenAPI document promises: status, code, and every field of the body. */
export const expectDocumented = (method: string, path: string, status: number, body: unknown): void => {
  const route = routeOf(method, path)
  if (route === undefined) return
  const where = `${route.operationId} ${status}`
  const documented = (route.responses as Responses)[status]
  expect(documented, where).toBeDefined()
  const { schema, examples } = documented?.content?.['application/json'] ?? {}
  if (!(schema instanceof z.ZodType)) return expect(body, where).toBeUndefined()
  const failed = Failed.safeParse(body).data
  if (failed !== undefined) return expect(Object.keys(examples ?? {}), where).toContain(failed.error.code)
  expect(schema.parse(body), where).toEqual(body)
}
