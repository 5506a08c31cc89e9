/** What the scanner's adapter uses of the runtime, for the tiers that run in Node and only read its types. */
declare module 'cloudflare:sockets' {
  export const connect: import('../src/uploads/scanner.ts').Dial
}
