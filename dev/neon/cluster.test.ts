import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../test/support/engines.ts'
import { placeCluster } from './cluster.ts'

describe('a new cluster', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    folder = await temporaryFolder()
  })
  afterAll(() => folder.remove())

  const at = (name: string) => join(folder.path, name)
  const make = () => vi.fn(async (dataDir: string) => await writeFile(join(dataDir, 'PG_VERSION'), '18'))
  const versionIn = async (dataDir: string) => await readFile(join(dataDir, 'PG_VERSION'), 'utf8')

  it('is made once and copied, also by many at once', async () => {
    const [first, making] = [make(), at('cache-1')]
    await placeCluster(at('a'), first, making)
    await Promise.all(['b', 'c', 'd'].map((name) => placeCluster(at(name), first, making)))
    expect(first).toHaveBeenCalledTimes(1)
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((name) => versionIn(at(name))))).toEqual([
      '18',
      '18',
      '18',
      '18',
    ])
  })

  it('is whole or not there', async () => {
    const dies = vi.fn(async (dataDir: string) => {
      await writeFile(join(dataDir, 'half'), '')
      throw new Error('The power is gone')
    })
    await expect(placeCluster(at('e'), dies, at('cache-2'))).rejects.toThrow('The power is gone')
    expect([existsSync(at('e')), await readdir(at('cache-2'))]).toEqual([false, []])
    await placeCluster(at('e'), make(), at('cache-2'))
    expect(await versionIn(at('e'))).toBe('18')
  })

  it('is put into an empty folder, and never over what is there', async () => {
    await mkdir(at('f'))
    await placeCluster(at('f'), make(), at('cache-3'))
    expect(await versionIn(at('f'))).toBe('18')
    await mkdir(at('g'))
    await writeFile(join(at('g'), 'mine'), 'kept')
    await placeCluster(at('g'), make(), at('cache-3'))
    expect(await readdir(at('g'))).toEqual(['mine'])
  })

  it('is made once at least when several begin at the same moment, and all of them have it', async () => {
    await Promise.all(['h', 'i'].map((name) => placeCluster(at(name), make(), at('cache-4'))))
    expect([await versionIn(at('h')), await versionIn(at('i'))]).toEqual(['18', '18'])
    expect(await readdir(at('cache-4'))).toHaveLength(1)
  })
})
