/** What the product answers to `GET /`, for Workers that stand beside it. */
export const home = {
  name: 'selvedge',
  version: '0.1.0',
  links: {
    docs: '/api/docs',
    openapi: '/api/v1/openapi.json',
    health: '/health',
    ready: '/ready',
    jwks: '/.well-known/jwks.json',
  },
}
