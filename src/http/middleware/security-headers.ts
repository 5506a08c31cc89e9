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

/** A page that brings a policy of its own keeps it. */
export const securityHeaders = createMiddleware(async function securityHeaders(c, next) {
  await next()
  const ownPolicy = c.res.headers.get('Content-Security-Policy')
  const isPage = c.res.headers.get('Content-Type')?.startsWith('text/html') ?? false
  await (isPage ? forPages : forData)(c, () => Promise.resolve())
  if (ownPolicy !== null) c.header('Content-Security-Policy', ownPolicy)
})
