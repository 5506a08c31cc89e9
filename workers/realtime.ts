export { SlidingWindow } from '../src/limits/sliding-window.do.ts'
