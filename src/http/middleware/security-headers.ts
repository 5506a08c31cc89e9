import { createMiddleware } from 'hono/factory'
import { secureHeaders } from 'hono/secure-headers'

const everywhere = {
  referrerPolicy: 'no-referrer',
  strictTransportSecurity: 'max-age=63072000; includeSubDomains',
  xFrameOptions: 'DENY',
  permissionsPolicy: { camera: [], geolocation: [], microphone: [] },
}

/** Data: nothing may be loaded or framed, and any origin that CORS lets in may read it. */
const forData = secureHeaders({
  ...everywhere,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  crossOriginResourcePolicy: 'cross-origin',
})

/** Pages of our own: everything from this origin, nothing inline. */
const forPages = secureHeaders({
  ...everywhere,
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  crossOriginResourcePolicy: 'same-origin',
})

const ownable = ['Content-Security-Policy', 'Cross-Origin-Resource-Policy']

/** A response that brings policies of its own keeps them. */
export const securityHeaders = createMiddleware(async function securityHeaders(c, next) {
  await next()
  const own = ownable.map((name) => [name, c.res.headers.get(name)] as const)
  const isPage = c.res.headers.get('Content-Type')?.startsWith('text/html') ?? false
  await (isPage ? forPages : forData)(c, () => Promise.resolve())
  for (const [name, value] of own) if (value !== null) c.header(name, value)
})
