export { ApiKey } from '../src/api-keys/api-key.do.ts'
export { SlidingWindow } from '../src/limits/sliding-window.do.ts'
