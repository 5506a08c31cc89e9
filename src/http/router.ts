import { OpenAPIHono } from '@hono/zod-openapi'
import { invalid, notFound, type FieldIssue } from '../shared/errors.ts'
import type { AppEnv } from './context.ts'

/** More issues than this help nobody. */
const maxDetails = 50

type Issue = { path: PropertyKey[]; message: string; keys?: string[] }

const fieldOf = (path: readonly PropertyKey[]): string => path.map(String).join('.')

/** An unknown field is named itself, not the object that holds it. */
const detailsOf = (issues: readonly Issue[]): FieldIssue[] =>
  issues.flatMap(({ path, message, keys }) =>
    keys === undefined
      ? [{ field: fieldOf(path), message }]
      : keys.map((key) => ({ field: fieldOf([...path, key]), message: 'unknown field' })),
  )

/**
 * Every router of the app: typed context, and one answer to invalid input. A path that cannot name anything is a
 * 404; everything else that does not fit its schema is a 422.
 */
export const createRouter = () =>
  new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return
      if (result.target === 'param') throw notFound('Resource')
      throw invalid(...detailsOf(result.error.issues).slice(0, maxDetails))
    },
  })
