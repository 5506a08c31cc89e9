import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Whole stacks and databases: one file at a time, and long enough for a slow machine. */
const heavy = {
  environment: 'node',
  fileParallelism: false,
  testTimeout: 300_000,
  hookTimeout: 240_000,
} as const

export default defineConfig({
  root,
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,dev,web}/**/*.test.ts', 'test/{bench,contract,support}/**/*.test.ts'],
          environment: 'node',
          pool: 'threads',
          // Many of them wait for a database.
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      './test/edge/vitest.config.ts',
      {
        extends: true,
        test: {
          name: 'race',
          include: ['test/race/**/*.test.ts'],
          ...heavy,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...heavy, sequence: { groupOrder: 3 } },
      },
    ],
  },
})
