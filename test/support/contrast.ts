import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const script = readFileSync(join(import.meta.dirname, 'contrast-page.js'), 'utf8')

/** Texts with too little contrast, each with its ratio (WCAG 2.2, 1.4.3: 4.5 to 1, large ones 3 to 1). */
export const contrastProblems = (page: Page): Promise<string[]> => page.evaluate(script)
