import { expect, it } from 'vitest'
import { readOptions } from './options.ts'

it('the port is 8787 and the folder .local unless the environment says otherwise', () => {
  expect(readOptions([], {})).toEqual({ port: 8787, folder: '.local', fresh: false })
  expect(readOptions([], { PORT: '', STATE_DIR: '' })).toEqual({ port: 8787, folder: '.local', fresh: false })
  const env = { PORT: '9000', STATE_DIR: '/tmp/x' }
  expect(readOptions(['--fresh'], env)).toEqual({ port: 9000, folder: '/tmp/x', fresh: true })
})

it('REDIS_URL names a Redis server, without being told when it is not valid', () => {
  expect(readOptions([], { REDIS_URL: 'redis://x' }).redisUrl).toBe('redis://x')
  expect(readOptions([], { REDIS_URL: 'off' }).redisUrl).toBe('off')
  expect(readOptions([], { REDIS_URL: '' }).redisUrl).toBeUndefined()
  expect(() => readOptions([], { REDIS_URL: 'hush' })).toThrow(
    /^REDIS_URL must begin with redis:\/\/ or rediss:\/\/, or be off\.$/,
  )
})

it.each(['abc', '-1', '65536', '1.5', '80a'])('PORT=%s is refused in one sentence', (PORT) => {
  expect(() => readOptions([], { PORT })).toThrow(
    `PORT must be a whole number from 0 (any free port) to 65535, not '${PORT}'.`,
  )
})

it.each([['--frsh'], ['fresh']])('%s is refused in one sentence', (arg) => {
  expect(() => readOptions([arg], {})).toThrow(
    `'${arg}' is unknown: \`npm run dev\` takes --fresh and --help.`,
  )
})
