import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import {
  type CheckReport,
  checkStore,
  type RepairSource,
  repairFromStore,
  repairStore,
} from '../../lib/maintenance/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, readOnlyStore, type Store } from '../../lib/store/index.ts'
import { putStoreDocument, putStoreImage } from '../helpers/store-image.ts'
import { blobPath, damageBlob } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let good: Store
let image: Awaited<ReturnType<typeof putStoreImage>>
const at = (...parts: string[]) => join(directory.path, ...parts)
const bytesOf = Buffer.alloc(200_000, 'layer')
const quarantined = () => (existsSync(at('.layerstore/quarantine')) ? readdirSync(at('.layerstore/quarantine')) : [])
const repair = async (...sources: RepairSource[]) => repairStore(store, await checkStore(store), sources)

beforeEach(async () => {
  directory = temporaryDirectory('repair')
  store = await openStore(directory.path)
  good = createMemoryStore()
  await putStoreImage(good, bytesOf)
  image = await putStoreImage(store, bytesOf)
  await store.references.set('app:1', image.manifest)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

/** A source that counts what it is asked for. */
function counted(from: Store): RepairSource & { asked: Digest[] } {
  const asked: Digest[] = []
  const { fetch } = repairFromStore(from)
  return {
    label: 'counted',
    asked,
    fetch: (descriptor, options) => {
      asked.push(descriptor.digest)
      return fetch(descriptor, options)
    },
  }
}

const lying = (bytes: Uint8Array): RepairSource => ({
  label: 'liar',
  async *fetch() {
    yield bytes
  },
})

describe('blobs', () => {
  test('only damaged blobs are fetched, and the damaged files are kept', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const damaged = readFileSync(blobPath(directory.path, image.layer.digest))
    const source = counted(good)
    const result = await repair(source)
    expect(source.asked).toEqual([image.layer.digest])
    expect(result.repaired).toEqual([{ digest: image.layer.digest, source: 'counted', bytes: 200_000 }])
    expect(result.quarantined).toMatchObject([{ digest: image.layer.digest }])
    expect(readFileSync(at(result.quarantined[0]!.to)).equals(damaged)).toBe(true)
    expect(result.unrepaired).toEqual([])
    expect((await checkStore(store)).sound).toBe(true)
  })

  test.each(['shorten', 'extend', 'empty'] as const)('after %s', async how => {
    damageBlob(directory.path, image.manifest.digest, how)
    expect((await repair(repairFromStore(good))).unrepaired).toEqual([])
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('a directory or a link under the name of a blob is moved aside for it', async () => {
    for (const put of [(path: string) => mkdirSync(path), (path: string) => symlinkSync('/nowhere', path)]) {
      const path = blobPath(directory.path, image.layer.digest)
      rmSync(path, { recursive: true })
      put(path)
      expect(await repair(repairFromStore(good))).toMatchObject({ unrepaired: [], quarantined: [{}] })
      expect((await checkStore(store)).sound).toBe(true)
    }
  })

  test('a restored document causes a fetch of the missing blobs below it', async () => {
    const index = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [image.manifest] }
    for (const one of [good, store]) await putStoreDocument(one, MediaType.OciIndex, index)
    const top = await putStoreDocument(store, MediaType.OciIndex, index)
    await store.references.set('multi:1', top)
    await store.references.delete('app:1')
    for (const part of [top, image.manifest, image.config]) rmSync(blobPath(directory.path, part.digest))
    damageBlob(directory.path, image.layer.digest, 'flip')
    const report = await checkStore(store)
    // The layer is corrupt, and an orphan for all that the store shows.
    expect(report.problems.map(problem => problem.class).sort()).toEqual(['corrupt', 'missing'])
    const news: Digest[] = []
    const result = await repairStore(store, report, [repairFromStore(good)], {
      onProgress: ({ digest }) => news.push(digest),
    })
    expect(result.unrepaired).toEqual([])
    expect(news.sort()).toEqual([top, image.manifest, image.config, image.layer].map(({ digest }) => digest).sort())
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('a source with wrong, too few or too many bytes, or an error, is skipped, and the next one is asked', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const failing: RepairSource = {
      label: 'broken',
      // biome-ignore lint/correctness/useYield: it fails before anything comes.
      async *fetch() {
        throw 'no answer'
      },
    }
    const sources = [
      lying(Buffer.alloc(200_000, 'other')),
      lying(bytesOf.subarray(1)),
      lying(Buffer.concat([bytesOf, bytesOf])),
      failing,
      repairFromStore(createMemoryStore()),
    ]
    const report = await checkStore(store)
    const first = await repairStore(store, report, sources, { quarantine: false })
    expect(first).toMatchObject({
      repaired: [],
      quarantined: [],
      unrepaired: [{ reason: 'tag app:1 → manifest → layer' }],
    })
    expect(first.unrepaired[0]!.why).toMatch(/^liar: .+; liar: .+; liar: .+; broken: no answer; another store: no blob/)
    expect(existsSync(blobPath(directory.path, image.layer.digest))).toBe(true)
    const second = await repairStore(store, report, [...sources, repairFromStore(good, 'the good one')])
    expect(second.repaired).toMatchObject([{ source: 'the good one' }])
    expect(readdirSync(at('.layerstore/ingests')).filter(name => !name.startsWith('put-'))).toEqual([])
  })

  test('a damaged blob that no source has is moved to quarantine, so that a pull can fetch it', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const result = await repair()
    expect(result.unrepaired).toMatchObject([{ why: 'there is no source to fetch it from' }])
    expect(quarantined()).toHaveLength(1)
    await store.put(bytesOf, { digest: image.layer.digest })
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('a corrupt blob without a reference is moved to quarantine, and no source is asked for it', async () => {
    const { digest } = await store.put(Buffer.alloc(1000, 'orphan'))
    damageBlob(directory.path, digest, 'flip')
    const source = counted(good)
    expect(await repair(source)).toMatchObject({ repaired: [], unrepaired: [], quarantined: [{ digest }] })
    expect(source.asked).toEqual([])
    const { digest: second } = await store.put(Buffer.alloc(1000, 'second'))
    damageBlob(directory.path, second, 'flip')
    const kept = await repairStore(store, await checkStore(store), [], { quarantine: false })
    expect(kept.unrepaired).toMatchObject([{ path: second, why: 'nothing names it' }])
  })

  test('an old report does no harm: a blob that is intact by now is not changed', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const report = await checkStore(store)
    await repairStore(store, report, [repairFromStore(good)])
    const source = counted(good)
    expect(await repairStore(store, report, [source])).toEqual({
      repaired: [],
      quarantined: [],
      mended: [],
      unrepaired: [],
    })
    expect(source.asked).toEqual([])
    expect(quarantined()).toHaveLength(1)
  })

  test('a partial blob that a killed repair fetched from another source is not resumed', async () => {
    rmSync(blobPath(directory.path, image.layer.digest))
    {
      await using writer = await store.ingest(`repair ${image.layer.digest}`)
      await writer.write(Buffer.alloc(100_000, 'wrong'))
    }
    expect((await repair(repairFromStore(good))).unrepaired).toEqual([])
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('the damaged blob stays until an intact copy has arrived', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const watching: RepairSource = {
      label: 'watching',
      async *fetch() {
        expect(existsSync(blobPath(directory.path, image.layer.digest))).toBe(true)
        yield bytesOf
      },
    }
    expect((await repair(watching)).repaired).toHaveLength(1)
  })

  test('it stops on abort, with the reason, and leaves nothing half done', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const report = await checkStore(store)
    const reason = new Error('enough')
    const stop = new AbortController()
    const silent: RepairSource = {
      label: 'silent',
      async *fetch() {
        yield bytesOf.subarray(0, 1000)
        stop.abort(reason)
        stop.signal.throwIfAborted()
      },
    }
    expect(await thrownBy(() => repairStore(store, report, [silent], { signal: stop.signal }))).toBe(reason)
    expect(quarantined()).toEqual([])
    expect(await thrownBy(() => repairStore(store, report, [], { signal: stop.signal }))).toBe(reason)
  })

  test('a store that cannot move a damaged blob reports it as unrepaired', async () => {
    const plain = new Proxy(store, {
      get: (target, key) => {
        const member: unknown = key === 'checking' ? undefined : Reflect.get(target, key, target)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    damageBlob(directory.path, image.layer.digest, 'flip')
    const result = await repairStore(plain, await checkStore(store), [repairFromStore(good)])
    expect(result.unrepaired).toMatchObject([{ why: expect.stringContaining('the store cannot move a damaged blob') }])
  })

  test('a read-only store is not repaired, and a report of another kind not used', async () => {
    const report = await checkStore(store)
    expect((await thrownBy(() => repairStore(readOnlyStore(store), report, []))).code).toBe('ERR_STORE_READ_ONLY')
    for (const wrong of [
      { ...report, version: 2 },
      { ...report, kind: 'plan' },
    ]) {
      expect((await thrownBy(() => repairStore(store, wrong as CheckReport, []))).code).toBe('ERR_INVALID_ARGUMENT')
    }
  })
})

describe('files of the store', () => {
  const names = async (from: Store) => {
    const found: string[] = []
    for await (const { name } of from.references.list()) found.push(name)
    return found
  }
  const reopenDamaged = async () => {
    await store.close()
    store = await openStore(directory.path, { damaged: 'open' })
  }

  test('a damaged index keeps every undamaged name, and loses no image', async () => {
    const second = await putStoreImage(store, 'second')
    for (let i = 0; i < 20; i++) await store.references.set(`app:${i}`, i === 7 ? second.manifest : image.manifest)
    const text = readFileSync(at('index.json'), 'utf8')
    // The only name of the second image loses a bracket.
    const hit = text.indexOf(second.manifest.digest)
    writeFileSync(
      at('index.json'),
      `${text.slice(0, hit - 14)} ${text.slice(hit - 13)}`.replace('"schemaVersion"', '"schema'),
    )
    expect((await thrownBy(() => openStore(directory.path))).code).toBe('ERR_STORE_FORMAT')
    await reopenDamaged()
    const report = await checkStore(store)
    expect(report.faults).toMatchObject([{ path: 'index.json', code: 'ERR_STORE_FORMAT' }])
    expect(report.counts.orphan).toBe(0)
    const damaged = readFileSync(at('index.json'))
    const result = await repairStore(store, report, [])
    expect(result.mended).toMatchObject([{ path: 'index.json' }])
    expect(readFileSync(at(result.mended[0]!.quarantinedTo!)).equals(damaged)).toBe(true)
    const recovered = `recovered:${second.manifest.digest.replace(':', '-')}`
    expect((await names(store)).sort()).toEqual(
      [...Array.from({ length: 20 }, (_, i) => `app:${i}`).filter(name => name !== 'app:7'), recovered].sort(),
    )
    expect((await checkStore(store)).sound).toBe(true)
    const again = await openStore(directory.path)
    expect(await again.references.get(recovered)).toEqual(second.manifest)
    await again.close()
  })

  test.each([
    ['empty', ''],
    ['cut off', '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci'],
    ['another kind of document', '[]'],
  ])('an index that is %s is made of the images that are there', async (_, content) => {
    const index = await putStoreDocument(store, MediaType.OciIndex, {
      schemaVersion: 2,
      mediaType: MediaType.OciIndex,
      manifests: [image.manifest],
    })
    const about = await putStoreDocument(store, MediaType.OciManifest, {
      schemaVersion: 2,
      mediaType: MediaType.OciManifest,
      config: image.config,
      layers: [],
      subject: image.manifest,
    })
    damageBlob(directory.path, (await store.put(Buffer.from('{"damaged":true}'))).digest, 'flip')
    await store.put(Buffer.alloc(5_000_000, '{'))
    writeFileSync(at('index.json'), content)
    await reopenDamaged()
    await repairStore(store, await checkStore(store), [])
    expect(await names(store)).toEqual([`recovered:${index.digest.replace(':', '-')}`])
    expect(await store.stat(about.digest)).toBeDefined()
  })

  test('an index that is missing, or no file, is created again', async () => {
    for (const put of [
      () => {},
      () => mkdirSync(at('index.json')),
      () => symlinkSync('oci-layout', at('index.json')),
    ]) {
      rmSync(at('index.json'), { recursive: true })
      put()
      await reopenDamaged()
      expect((await repair()).mended).toHaveLength(1)
      expect(await names(store)).toEqual([`recovered:${image.manifest.digest.replace(':', '-')}`])
    }
  })

  test('an invalid entry is removed, and the rest of the index is unchanged', async () => {
    const index = JSON.parse(readFileSync(at('index.json'), 'utf8'))
    const odd = { mediaType: 'x', digest: 'sha256:0' }
    writeFileSync(
      at('index.json'),
      JSON.stringify({ ...index, 'org.example': 1, manifests: [odd, ...index.manifests] }),
    )
    const report = await checkStore(store)
    expect(report.faults).toMatchObject([{ path: 'index.json', reason: 'manifests[0]' }])
    await repairStore(store, report, [])
    expect(JSON.parse(readFileSync(at('index.json'), 'utf8'))).toEqual({ ...index, 'org.example': 1 })
    expect(await repairStore(store, report, [])).toMatchObject({ mended: [], unrepaired: [] })
  })

  test('a damaged oci-layout is written again', async () => {
    writeFileSync(at('oci-layout'), '{"imageLayoutVersion":"x"}')
    expect((await thrownBy(() => openStore(directory.path))).code).toBe('ERR_STORE_FORMAT')
    await reopenDamaged()
    const report = await checkStore(store)
    expect(report).toMatchObject({ sound: false, faults: [{ path: 'oci-layout' }] })
    expect((await repairStore(store, report, [])).mended).toMatchObject([{ path: 'oci-layout' }])
    expect((await repairStore(store, report, [])).mended).toEqual([])
    await (await openStore(directory.path)).close()
  })

  test('a damaged lease is moved to quarantine', async () => {
    mkdirSync(at('.layerstore/leases'), { recursive: true })
    writeFileSync(at('.layerstore/leases/1-00.json'), '{"version":1,')
    const report = await checkStore(store)
    expect(report.faults).toMatchObject([{ path: '.layerstore/leases/1-00.json', code: 'ERR_STORE_FORMAT' }])
    expect((await repairStore(store, report, [])).mended).toMatchObject([{ outcome: 'moved to quarantine' }])
    expect((await checkStore(store)).sound).toBe(true)
    expect((await repairStore(store, report, [])).mended).toEqual([])
  })

  test('a document that cannot be parsed is listed as unrepaired, because fetching it again would not help', async () => {
    const broken = await putStoreDocument(store, MediaType.OciManifest, { schemaVersion: 2 })
    writeFileSync(at('index.json'), JSON.stringify({ schemaVersion: 2, manifests: [broken] }))
    const result = await repair(repairFromStore(good))
    expect(result.unrepaired).toMatchObject([{ path: broken.digest, reason: 'entry of index.json → manifest' }])
  })
})

test('a store as a source gives verified bytes', async () => {
  const descriptor: Descriptor = image.layer
  const chunks: Uint8Array[] = []
  for await (const chunk of repairFromStore(good).fetch(descriptor)) chunks.push(chunk)
  expect(Buffer.concat(chunks).equals(bytesOf)).toBe(true)
})
