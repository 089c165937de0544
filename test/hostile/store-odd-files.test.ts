import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, repairStore } from '../../lib/maintenance/index.ts'
import type { Descriptor } from '../../lib/oci/index.ts'
import { everyStoreAct } from '../helpers/every-store-act.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { descriptorIn, makeUsedStore, pathsIn, USED_LAYER } from '../helpers/used-store.ts'

let directory: ReturnType<typeof memoryDirectory>
let manifest: Descriptor
let records: string[]
let stores = 0
const at = (...parts: string[]) => join(directory.path, ...parts)
const MiB = 1024 * 1024
const AN_HOUR_AGO = new Date(Date.now() - 3_600_000)

beforeAll(async () => {
  directory = memoryDirectory('odd')
  await makeUsedStore(at('used'))
  manifest = descriptorIn(at('used'), 'app:1') as unknown as Descriptor
  const own = pathsIn(at('used')).filter(path => path.startsWith('.layerstore/') && path !== '.layerstore/format.json')
  records = own.filter(path => lstatSync(at('used', path)).isFile())
})
afterAll(() => directory[Symbol.dispose]())

const KINDS: Record<string, (path: string) => void> = {
  'a FIFO': path => execFileSync('mkfifo', [path]),
  'a directory': path => {
    mkdirSync(path)
    writeFileSync(join(path, 'inside'), 'x')
  },
  'a sparse file of 200 MiB': path => {
    writeFileSync(path, '')
    truncateSync(path, 200 * MiB)
  },
  'a file of other content': path => writeFileSync(path, '{"version":1,"pid":"x"'),
}

/** Copies the used store and replaces these records with another kind of file. */
function plant(kind: string, places: readonly string[]): string {
  const store = at(`store-${++stores}`)
  cpSync(at('used'), store, { recursive: true, preserveTimestamps: true })
  for (const path of places) {
    rmSync(join(store, path))
    KINDS[kind]?.(join(store, path))
    // An unreadable lock is respected for a minute.
    utimesSync(join(store, path), AN_HOUR_AGO, AN_HOUR_AGO)
  }
  return store
}

describe.each(Object.keys(KINDS))('%s in the place of every record of a store', kind => {
  test('costs these records only: each act goes through, and none of it is read', async context => {
    if (kind === 'a FIFO' && !needsProgram('mkfifo')) context.skip()
    const store = plant(kind, records)
    const before = process.resourceUsage().maxRSS
    const opened = await openStore(store, { durability: 'batch', onCorrupt: 'quarantine' })
    const outcomes = await everyStoreAct(opened, manifest)
    for (const [act, { error }] of Object.entries(outcomes)) expect(error, act).toBeUndefined()
    expect(outcomes.read?.result).toBe(USED_LAYER)
    // maxRSS is in KiB.
    expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(150 * MiB)
  })
})

test.each(['a FIFO', 'a directory'])(
  '%s in the place of a record is reported by a check, and taken away by a repair',
  async kind => {
    if (kind === 'a FIFO' && !needsProgram('mkfifo')) return
    // The cache directory may contain directories, and the quarantine anything.
    const passed = ['.layerstore/cache/one.json', '.layerstore/removals']
    const damaged = records.filter(path => !path.startsWith('.layerstore/quarantine') && !passed.includes(path))
    const path = plant(kind, damaged)
    const store = await openStore(path, { readOnly: true })
    const report = await checkStore(store)
    await store.close()
    expect(report.faults.map(fault => fault.path).sort()).toEqual(damaged)
    const writable = await openStore(path, { durability: 'none' })
    const { mended } = await repairStore(writable, report, [])
    // Acquiring the locks has replaced them.
    expect(mended.length).toBeGreaterThan(10)
    for (const { quarantinedTo } of mended) expect(lstatSync(join(path, quarantinedTo!)).isFile()).toBe(false)
    // The next check reports the blob that the repair moved aside for a file.
    expect((await repairStore(writable, await checkStore(writable), [])).unrepaired).toEqual([])
    expect((await checkStore(writable)).sound).toBe(true)
    await writable.close()
  },
)

test.each(Object.keys(KINDS))(
  '%s in the place of what says the format is refused when the store is opened',
  async kind => {
    if (kind === 'a FIFO' && !needsProgram('mkfifo')) return
    for (const path of ['.layerstore/format.json', 'oci-layout', 'index.json']) {
      const store = plant(kind, [path])
      const { code, message } = await thrownBy(() => openStore(store))
      expect(code).toMatch(/^ERR_(STORE_FORMAT|LIMIT_EXCEEDED)$/)
      expect(message).toContain(path)
    }
  },
)
