import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, repairStore } from '../../lib/maintenance/index.ts'
import { driverOf } from '../../lib/store/drivers/store-driver.ts'
import type { Store } from '../../lib/store/index.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { blobPath, damageBlob } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let image: Awaited<ReturnType<typeof putStoreImage>>
const LAYER = Buffer.alloc(100_000, 'layer')
const at = (...parts: string[]) => join(directory.path, ...parts)
/** Makes calls of this name fail, all of them or those for paths that hold a text. */
const fail = (call: string, code: string, part = '') => {
  faults.next = (name, _, path) => (name === call && String(path).includes(part) ? systemError(code) : undefined)
}

beforeEach(async () => {
  directory = temporaryDirectory('check-faults')
  store = await openStore(directory.path, { durability: 'none', onCorrupt: 'quarantine' })
  image = await putStoreImage(store, LAYER)
  await store.references.set('app:1', image.manifest)
})
afterEach(async () => {
  faults.reset()
  vi.restoreAllMocks()
  await store.close()
  directory[Symbol.dispose]()
})

test('without hard links an intact blob that replaced the damaged one is moved back nevertheless', async () => {
  damageBlob(directory.path, image.layer.digest, 'flip')
  const error = await thrownBy(async () => {
    for await (const _ of store.read(image.layer.digest)) {
      rmSync(blobPath(directory.path, image.layer.digest), { force: true })
      await store.put(LAYER)
      fail('link', 'EPERM')
    }
  })
  faults.reset()
  expect(error).toMatchObject({ code: 'ERR_BLOB_CORRUPT', quarantinedTo: undefined })
  expect((await checkStore(store)).sound).toBe(true)
})

test('without hard links a damaged index is copied before it is replaced', async () => {
  const damaged = readFileSync(at('index.json')).subarray(1)
  writeFileSync(at('index.json'), damaged)
  const report = await checkStore(store)
  fail('link', 'EPERM', 'index.json')
  const { mended } = await repairStore(store, report, [])
  expect(readFileSync(at(mended[0]!.quarantinedTo!)).equals(damaged)).toBe(true)
  expect(await store.references.get('app:1')).toEqual(image.manifest)
})

test('quarantine of a missing blob does nothing, and a failed move is an error with its errno', async () => {
  rmSync(blobPath(directory.path, image.layer.digest))
  expect(await driverOf(store).checking?.quarantine(image.layer.digest)).toBeUndefined()
  fail('rename', 'EIO')
  expect(await thrownBy(() => driverOf(store).checking!.quarantine(image.config.digest))).toMatchObject({
    errno: 'EIO',
  })
})

test('two entries moved to quarantine at the same moment get different names', async () => {
  vi.spyOn(Date.prototype, 'toISOString').mockReturnValue('2026-11-21T00:00:00.000Z')
  for (let i = 0; i < 3; i++) {
    damageBlob(directory.path, image.layer.digest, 'flip')
    await thrownBy(() => readAll(store.read(image.layer.digest)))
    await store.put(LAYER)
  }
  const hex = image.layer.digest.slice(7)
  expect(readdirSync(at('.layerstore/quarantine')).sort()).toEqual(
    ['', '-1', '-2'].map(again => `sha256-${hex}-20261121T000000000Z${again}`),
  )
})

test('a quarantine that is a link is not followed', async () => {
  const { symlinkSync, mkdirSync } = await import('node:fs')
  mkdirSync(at('elsewhere'))
  symlinkSync(at('elsewhere'), at('.layerstore/quarantine'))
  damageBlob(directory.path, image.layer.digest, 'flip')
  expect((await thrownBy(() => checkStore(store, { quarantine: true }))).code).toBe('ERR_STORE_FORMAT')
  expect(readdirSync(at('elsewhere'))).toEqual([])
})

test('a blob that is missing at its stat was removed; a failed stat stops the check', async () => {
  const hex = image.layer.digest.slice(7)
  let gone = true
  faults.next = (name, _, path) => {
    if (name !== 'lstat' || !String(path).endsWith(hex) || !gone) return undefined
    gone = false
    return systemError('ENOENT')
  }
  expect((await checkStore(store)).sound).toBe(true)
  fail('lstat', 'EIO', hex)
  expect(await thrownBy(() => checkStore(store))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
})

test('files of the store that cannot be read are faults with their errno, and are not replaced', async () => {
  for (const file of ['index.json', 'oci-layout']) {
    fail('open', 'EIO', file)
    const report = await checkStore(store)
    expect(report.faults).toMatchObject([{ path: file, code: 'ERR_STORE_IO', errno: 'EIO' }])
    expect(await thrownBy(() => repairStore(store, report, []))).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
    faults.reset()
  }
  expect((await checkStore(store)).sound).toBe(true)
})

test('if the disk is unreadable the lost images cannot be found, and nothing is replaced', async () => {
  writeFileSync(at('index.json'), '')
  const report = await checkStore(store)
  fail('open', 'EIO', image.manifest.digest.slice(7))
  expect(await thrownBy(() => repairStore(store, report, []))).toMatchObject({ errno: 'EIO' })
  expect(readFileSync(at('index.json'), 'utf8')).toBe('')
})

test('a store whose leases cannot be listed is checked without looking for orphans', async () => {
  await store.put(Buffer.from('orphan'))
  fail('readdir', 'EIO', 'leases')
  const report = await checkStore(store)
  expect(report).toMatchObject({ counts: { orphan: 0 }, faults: [{ path: '.layerstore/leases', errno: 'EIO' }] })
  fail('readdir', 'EIO', 'ingests')
  expect((await checkStore(store)).faults).toMatchObject([{ path: '.layerstore/ingests', errno: 'EIO' }])
})

test('a long check saves its progress regularly, not only when it is aborted', async () => {
  let now = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1500
    return now
  })
  const seen: number[] = []
  await checkStore(store, {
    concurrency: 1,
    onProgress: () => seen.push(readdirSync(at('.layerstore')).includes('facts') ? 1 : 0),
  })
  expect(seen.at(-1)).toBe(1)
  expect(await store.derived.get('facts', 'check-progress')).toBeUndefined()
})

test('an error of the caller’s own code is not reported as a fault', async () => {
  const fault = new TypeError('a bug')
  const broken = new Proxy(store, {
    get: (target, key) => {
      if (key === 'read') {
        return () => {
          throw fault
        }
      }
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  expect(await thrownBy(() => checkStore(broken))).toBe(fault)
})

test('a store without a collection driver reports every unreferenced blob as an orphan', async () => {
  const { digest } = await store.put(Buffer.from('orphan'))
  const plain = new Proxy(store, {
    get: (target, key) => {
      const member: unknown = key === 'collection' ? undefined : Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  await using _lease = await store.leases.hold({ digests: [digest] })
  expect((await checkStore(plain)).problems).toMatchObject([{ class: 'orphan', digest }])
})

test('an index with an entry too long to be one is salvaged around it', async () => {
  const { manifests } = JSON.parse(readFileSync(at('index.json'), 'utf8'))
  const long = { ...manifests[0], annotations: { note: 'x'.repeat(70_000) } }
  const text = JSON.stringify({ schemaVersion: 2, manifests: [long, manifests[0]] })
  writeFileSync(at('index.json'), text.slice(0, -1))
  await repairStore(store, await checkStore(store), [])
  expect(JSON.parse(readFileSync(at('index.json'), 'utf8')).manifests).toEqual(manifests)
})
