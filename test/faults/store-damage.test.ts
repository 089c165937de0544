import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { checkStore, planCollection, repairStore, runCollection } from '../../lib/maintenance/index.ts'
import type { Store } from '../../lib/store/index.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { blobPath } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let image: Awaited<ReturnType<typeof putStoreImage>>
const at = (...parts: string[]) => join(directory.path, ...parts)
const pathOf = (digest: Digest) => blobPath(directory.path, digest)
const LAYER = Buffer.alloc(70_000, 'layer')
const YEAR_AGO = new Date(Date.now() - 365 * 86_400_000)

beforeEach(async () => {
  directory = temporaryDirectory('damage')
  // The test does the damage itself, so no write has to survive a power cut.
  store = await openStore(directory.path, { durability: 'none' })
  image = await putStoreImage(store, LAYER)
  await store.references.set('app:1', image.manifest)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

/** Makes blobs old enough to be collected. */
function age(...digests: Digest[]): void {
  for (const digest of digests) lutimesSync(pathOf(digest), YEAR_AGO, YEAR_AGO)
}

function overwrite(digest: Digest, bytes: Uint8Array): void {
  chmodSync(pathOf(digest), 0o644)
  writeFileSync(pathOf(digest), bytes)
}

/** Collects garbage; resolves to the error if the collection is refused. */
async function collect(from: Store): Promise<Error | undefined> {
  try {
    await runCollection(from, await planCollection(from))
    return undefined
  } catch (error) {
    return error as Error
  }
}

test('ST-11: a reader that has a blob open reads on while a collection takes it, and a new one does not find it', async () => {
  const bytes = Buffer.alloc(3_000_000, 'big')
  const { digest } = await store.put(bytes)
  age(digest)
  const chunks: Uint8Array[] = []
  for await (const chunk of store.read(digest)) {
    if (chunks.length === 0) {
      await runCollection(store, await planCollection(store))
      expect(existsSync(pathOf(digest))).toBe(false)
    }
    chunks.push(chunk)
  }
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  expect((await thrownBy(() => readAll(store.read(digest)))).code).toBe('ERR_BLOB_NOT_FOUND')
})

describe('ST-12: a blob that is not what it was', () => {
  test('a flipped bit at any offset is found by a read and by a check, and moved to quarantine', async () => {
    const flip = fc.record({ offset: fc.nat(LAYER.byteLength - 1), bit: fc.nat(7) })
    await fc.assert(
      fc.asyncProperty(flip, async ({ offset, bit }) => {
        const bytes = Buffer.from(LAYER)
        bytes[offset]! ^= 1 << bit
        overwrite(image.layer.digest, bytes)
        expect((await thrownBy(() => readAll(store.read(image.layer.digest)))).code).toBe('ERR_BLOB_CORRUPT')
        const { problems } = await checkStore(store, { quarantine: true })
        expect(problems).toMatchObject([{ class: 'corrupt', digest: image.layer.digest }])
        expect(readFileSync(at(problems[0]!.quarantinedTo!)).equals(bytes)).toBe(true)
        await store.put(LAYER, { digest: image.layer.digest })
      }),
      { numRuns: cases(25) },
    )
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('a blob of any other length is found by a read and by a check', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(LAYER.byteLength * 2), async length => {
        fc.pre(length !== LAYER.byteLength)
        overwrite(image.layer.digest, Buffer.alloc(length, 'layer'))
        expect((await thrownBy(() => readAll(store.read(image.layer.digest)))).code).toBe('ERR_BLOB_CORRUPT')
        const { problems } = await checkStore(store)
        expect(problems).toMatchObject([{ class: length < LAYER.byteLength ? 'short' : 'corrupt' }])
      }),
      { numRuns: cases(20), examples: [[0], [LAYER.byteLength - 1], [LAYER.byteLength + 1]] },
    )
  })

  test('a directory, a link or a fifo in its place is not followed, not waited for, and moved to quarantine', async context => {
    if (!needsProgram('mkfifo')) context.skip()
    const secret = at('..', `secret-${process.pid}`)
    writeFileSync(secret, LAYER)
    const path = pathOf(image.layer.digest)
    const others: [string, () => void][] = [
      ['a directory', () => mkdirSync(path)],
      ['a symbolic link', () => symlinkSync(secret, path)],
      ['a special file', () => execFileSync('mkfifo', [path])],
    ]
    for (const [actual, put] of others) {
      rmSync(path, { recursive: true, force: true })
      put()
      expect(await store.stat(image.layer.digest)).toBeUndefined()
      expect(await thrownBy(() => readAll(store.read(image.layer.digest)))).toMatchObject({
        code: 'ERR_BLOB_CORRUPT',
        actual,
      })
      const { problems } = await checkStore(store, { quarantine: true })
      expect(problems).toMatchObject([{ class: 'corrupt', actual, quarantinedTo: expect.any(String) }])
      expect(existsSync(path)).toBe(false)
    }
    expect(readFileSync(secret).equals(LAYER)).toBe(true)
    rmSync(secret)
  })
})

describe('ST-13: a damaged list of names, manifest or lease', () => {
  test('any flipped bit of index.json is a typed error that names the file, or harmless; no image is ever lost by it', async () => {
    const sound = readFileSync(at('index.json'))
    const digests = [image.layer.digest, image.config.digest, image.manifest.digest]
    let refused = 0
    for (let offset = 0; offset < sound.byteLength; offset += 2) {
      const bytes = Buffer.from(sound)
      bytes[offset]! ^= 1 << (offset % 7)
      writeFileSync(at('index.json'), bytes)
      age(...digests)
      await openStore(directory.path).then(
        async opened => {
          const error = await collect(opened)
          if (error) expect(LayerStoreError.is(error), String(error)).toBe(true)
          await opened.close()
        },
        error => {
          refused++
          expect(error).toMatchObject({ code: 'ERR_STORE_FORMAT', message: expect.stringContaining('index.json') })
        },
      )
      for (const digest of digests) expect(existsSync(pathOf(digest)), `offset ${offset}`).toBe(true)
      // For any damage, the check either reports it or nothing is wrong, and the repaired store opens and works.
      const damaged = await openStore(directory.path, { damaged: 'open', durability: 'none' })
      await repairStore(damaged, await checkStore(damaged, { content: false }), [])
      await damaged.close()
      const repaired = await openStore(directory.path)
      await repaired.references.set('after:1', image.manifest)
      await repaired.close()
    }
    expect(refused).toBeGreaterThan(sound.byteLength / 10)
    expect(refused).toBeLessThan(sound.byteLength)
    writeFileSync(at('index.json'), sound)
  })

  test('a damaged manifest stops a collection, and a check says which image it is', async () => {
    const bytes = readFileSync(pathOf(image.manifest.digest))
    bytes[10]! ^= 1
    overwrite(image.manifest.digest, bytes)
    age(image.layer.digest, image.config.digest, image.manifest.digest)
    expect(await collect(store)).toMatchObject({ code: 'ERR_COLLECTION_REFUSED' })
    expect(existsSync(pathOf(image.layer.digest))).toBe(true)
    expect((await checkStore(store)).problems).toMatchObject([
      { class: 'corrupt', reason: 'tag app:1 → manifest' },
      { class: 'orphan' },
      { class: 'orphan' },
    ])
  })

  test('a damaged lease costs itself alone: a collection continues, a check reports it, a repair takes it away', async () => {
    const { digest } = await store.put(Buffer.from('garbage'))
    age(digest)
    mkdirSync(at('.layerstore/leases'), { recursive: true })
    writeFileSync(at('.layerstore/leases/9-0.json'), Buffer.from([0, 1, 2]))
    const report = await checkStore(store)
    expect(report).toMatchObject({ faults: [{ path: '.layerstore/leases/9-0.json' }], counts: { orphan: 1 } })
    expect(await collect(store)).toBeUndefined()
    expect(await store.stat(digest)).toBeUndefined()
    const { mended } = await repairStore(store, report, [])
    expect(mended).toMatchObject([{ path: '.layerstore/leases/9-0.json' }])
    expect((await checkStore(store)).sound).toBe(true)
  })
})

test('ST-14: files of others are skipped, reported, and never deleted', async () => {
  const strays = [
    '.DS_Store',
    'blobs/.DS_Store',
    'blobs/sha256/.DS_Store',
    `blobs/sha256/${image.layer.digest.slice(7).toUpperCase()}`,
    `blobs/sha256/${'a'.repeat(63)}`,
    `blobs/sha256/${'a'.repeat(64)}.tmp`,
    'blobs/sha1/da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'blobs/sha256/sub/file',
    '.layerstore/layout-of-another-version',
  ]
  for (const stray of strays) {
    mkdirSync(join(at(stray), '..'), { recursive: true })
    writeFileSync(at(stray), 'not ours')
    utimesSync(at(stray), YEAR_AGO, YEAR_AGO)
  }
  const listed: Digest[] = []
  for await (const { digest } of store.list()) listed.push(digest)
  expect(listed.sort()).toEqual([image.layer, image.config, image.manifest].map(({ digest }) => digest).sort())
  const report = await checkStore(store, { quarantine: true })
  expect(report).toMatchObject({ sound: true, counts: { stray: strays.length, missing: 0, corrupt: 0, orphan: 0 } })
  await repairStore(store, report, [])
  expect(await collect(store)).toBeUndefined()
  for (const stray of strays) expect(readFileSync(at(stray), 'utf8')).toBe('not ours')
})
