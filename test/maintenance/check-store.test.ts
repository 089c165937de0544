import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { type CheckProgress, checkStore } from '../../lib/maintenance/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, readOnlyStore, type Store } from '../../lib/store/index.ts'
import { putStoreDocument, putStoreImage } from '../helpers/store-image.ts'
import { blobPath, damageBlob } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let image: Awaited<ReturnType<typeof putStoreImage>>
const at = (...parts: string[]) => join(directory.path, ...parts)
const pathOf = (digest: Digest) => blobPath(directory.path, digest)

beforeEach(async () => {
  directory = temporaryDirectory('check')
  store = await openStore(directory.path)
  image = await putStoreImage(store, Buffer.alloc(200_000, 'layer'))
  await store.references.set('app:1', image.manifest)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

describe('checkStore reports', () => {
  test('nothing in a sound store, and its report is plain JSON', async () => {
    const report = await checkStore(store)
    expect(report).toMatchObject({
      kind: 'check',
      version: 1,
      sound: true,
      names: 1,
      blobs: 3,
      problems: [],
      faults: [],
    })
    expect(report.bytes).toBe(image.layer.size + image.config.size + image.manifest.size)
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test.each(['flip', 'shorten', 'extend', 'empty'] as const)(
    'a layer after %s, with the way that leads to it',
    async how => {
      damageBlob(directory.path, image.layer.digest, how)
      const report = await checkStore(store)
      const short = how === 'shorten' || how === 'empty'
      expect(report.sound).toBe(false)
      expect(report.problems).toMatchObject([
        {
          class: short ? 'short' : 'corrupt',
          digest: image.layer.digest,
          path: `blobs/sha256/${image.layer.digest.slice(7)}`,
          reason: 'tag app:1 → manifest → layer',
          descriptor: image.layer,
          expected: short ? 'size 200000' : expect.stringContaining('sha256:'),
        },
      ])
      expect(existsSync(pathOf(image.layer.digest))).toBe(true)
    },
  )

  test.each(['layer', 'config', 'manifest'] as const)('a %s that is missing', async part => {
    rmSync(pathOf(image[part].digest))
    const { problems, counts } = await checkStore(store)
    const missing = problems.filter(problem => problem.class === 'missing')
    expect(missing).toMatchObject([{ digest: image[part].digest, expected: `${image[part].size} bytes` }])
    expect(missing[0]?.reason).toBe(part === 'manifest' ? 'tag app:1 → manifest' : `tag app:1 → manifest → ${part}`)
    // Without the manifest nothing leads to what is below it.
    expect(counts.orphan).toBe(part === 'manifest' ? 2 : 0)
  })

  test('a layer that registries do not hold may be absent', async () => {
    const absent = { mediaType: MediaType.DockerForeignLayerGzip, digest: image.layer.digest, size: 9 }
    rmSync(pathOf(image.layer.digest))
    const manifest = await putStoreDocument(store, MediaType.DockerManifest, {
      schemaVersion: 2,
      mediaType: MediaType.DockerManifest,
      config: { ...image.config, mediaType: MediaType.DockerConfig },
      layers: [absent],
    })
    await store.references.delete('app:1')
    await store.references.set('windows:1', manifest)
    const { problems } = await checkStore(store)
    expect(problems.map(problem => problem.class)).toEqual(['orphan'])
  })

  test('every kind of entry under the name of a blob that is no file', async () => {
    const path = pathOf(image.layer.digest)
    rmSync(path)
    mkdirSync(path)
    expect((await checkStore(store)).problems).toMatchObject([
      { class: 'corrupt', expected: 'a regular file', actual: 'a directory', reason: 'tag app:1 → manifest → layer' },
    ])
    rmSync(path, { recursive: true })
    symlinkSync(at('index.json'), path)
    expect((await checkStore(store)).problems).toMatchObject([{ class: 'corrupt', actual: 'a symbolic link' }])
  })

  test('files of other programs, which are not changed', async () => {
    const strays = [
      '.DS_Store',
      'blobs/notes.txt',
      `blobs/sha256/${'A'.repeat(64)}`,
      'blobs/sha256/0123',
      '.layerstore/mine',
    ]
    for (const stray of strays) writeFileSync(at(stray), 'mine')
    mkdirSync(at('blobs/md5'))
    mkdirSync(at('blobs/sha256/folder'))
    const report = await checkStore(store, { quarantine: true })
    expect(report.sound).toBe(true)
    expect(report.problems.map(({ class: kind, path }) => [kind, path]).sort()).toEqual(
      [...strays, 'blobs/md5', 'blobs/sha256/folder'].map(path => ['stray', path]).sort(),
    )
    for (const stray of strays) expect(readFileSync(at(stray), 'utf8')).toBe('mine')
  })

  test('orphans, except referrers, leased blobs and blobs of running ingests', async () => {
    const { digest: orphan } = await store.put(Buffer.alloc(100, 'orphan'))
    const { digest: leased } = await store.put(Buffer.alloc(100, 'leased'))
    const { digest: awaited } = await store.put(Buffer.alloc(100, 'awaited'))
    const signature = await putStoreImage(store, 'signature layer')
    const bytes = readFileSync(pathOf(signature.manifest.digest), 'utf8')
    await store.delete(signature.manifest.digest)
    await store.put(Buffer.from(JSON.stringify({ ...JSON.parse(bytes), subject: image.manifest })))
    await using _lease = await store.leases.hold({ digests: [leased] })
    {
      await using writer = await store.ingest(awaited)
      await writer.write(Buffer.from('the beginning'))
    }
    const { problems } = await checkStore(store)
    expect(problems.map(problem => [problem.class, problem.digest])).toEqual([['orphan', orphan]])
  })

  test('the first thousand of many orphans, and their number', async () => {
    for (let i = 0; i < 1005; i++) writeFileSync(at('blobs/sha256', `stray ${i}`), '')
    const { counts, problems } = await checkStore(store, { content: false })
    expect(counts.stray).toBe(1005)
    expect(problems).toHaveLength(1000)
  })

  test('a document that names a blob with a wrong size, as a fault of the document', async () => {
    const lying = await putStoreDocument(store, MediaType.OciManifest, {
      schemaVersion: 2,
      mediaType: MediaType.OciManifest,
      config: image.config,
      layers: [{ ...image.layer, size: image.layer.size + 1 }],
    })
    const index = JSON.parse(readFileSync(at('index.json'), 'utf8'))
    index.manifests.push({ ...lying, annotations: { 'org.opencontainers.image.ref.name': 'lying:1' } })
    writeFileSync(at('index.json'), JSON.stringify(index))
    const report = await checkStore(store)
    expect(report).toMatchObject({ sound: false, problems: [] })
    expect(report.faults).toMatchObject([{ code: 'ERR_SIZE_MISMATCH', reason: 'tag lying:1 → manifest → layer' }])
    expect((await checkStore(store, { content: false })).problems).toMatchObject([
      { class: 'short', expected: `size ${image.layer.size + 1}` },
    ])
  })

  test('an intact document that cannot be parsed, as a fault', async () => {
    const broken = await putStoreDocument(store, MediaType.OciManifest, { schemaVersion: 2 })
    const entry = { ...broken, annotations: {} }
    writeFileSync(at('index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
    const report = await checkStore(store)
    expect(report.faults).toMatchObject([{ code: 'ERR_INVALID_MANIFEST', reason: 'entry of index.json → manifest' }])
    expect(report.names).toBe(0)
  })

  test('indexes nested too deep, as a fault', async () => {
    let top = image.manifest
    for (let depth = 0; depth < 7; depth++) {
      top = await putStoreDocument(store, MediaType.OciIndex, {
        schemaVersion: 2,
        mediaType: MediaType.OciIndex,
        manifests: [top],
      })
    }
    writeFileSync(at('index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }))
    const { faults } = await checkStore(store)
    expect(faults).toMatchObject([{ code: 'ERR_INVALID_INDEX' }])
  })

  test('damage below an index and in blobs that several names share, once', async () => {
    const index = await putStoreDocument(store, MediaType.OciIndex, {
      schemaVersion: 2,
      mediaType: MediaType.OciIndex,
      manifests: [image.manifest],
    })
    await store.references.set('a:1', index)
    damageBlob(directory.path, image.layer.digest, 'flip')
    expect((await checkStore(store)).problems).toMatchObject([
      { class: 'corrupt', reason: 'tag app:1 → manifest → layer' },
    ])
    await store.references.delete('app:1')
    expect((await checkStore(store)).problems).toMatchObject([{ reason: 'tag a:1 → index → manifest → layer' }])
  })

  test('only sizes and names with content: false', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    expect(await checkStore(store, { content: false })).toMatchObject({ sound: true, blobs: 0, bytes: 0 })
    damageBlob(directory.path, image.layer.digest, 'extend')
    expect((await checkStore(store, { content: false })).problems).toMatchObject([{ class: 'corrupt' }])
  })
})

describe('quarantine', () => {
  test('keeps a corrupt blob under a name with digest and time; nothing is deleted', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const bytes = readFileSync(pathOf(image.layer.digest))
    const { problems } = await checkStore(store, { quarantine: true })
    const hex = image.layer.digest.slice(7)
    expect(problems[0]?.quarantinedTo).toMatch(new RegExp(`^\\.layerstore/quarantine/sha256-${hex}-\\d{8}T\\d{9}Z$`))
    expect(readFileSync(at(problems[0]!.quarantinedTo!)).equals(bytes)).toBe(true)
    expect(await store.stat(image.layer.digest)).toBeUndefined()
    expect((await checkStore(store)).problems).toMatchObject([{ class: 'missing' }])
  })

  test('the same blob twice is kept twice', async () => {
    for (let i = 0; i < 2; i++) {
      damageBlob(directory.path, image.layer.digest, 'flip')
      await checkStore(store, { quarantine: true })
      await store.put(Buffer.alloc(200_000, 'layer'))
    }
    expect(readdirSync(at('.layerstore/quarantine'))).toHaveLength(2)
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('is not done by a read without the option; with it once, and the error has the path', async () => {
    damageBlob(directory.path, image.layer.digest, 'flip')
    const drain = async (from: Store, options = {}) => {
      for await (const _ of from.read(image.layer.digest, options)) void _
    }
    expect(await thrownBy(() => drain(store))).toMatchObject({ code: 'ERR_BLOB_CORRUPT', quarantinedTo: undefined })
    const viewed = await thrownBy(() => drain(readOnlyStore(store), { onCorrupt: 'quarantine' }))
    expect(viewed).toMatchObject({ quarantinedTo: undefined })
    const frozen = await openStore(directory.path, { readOnly: true, onCorrupt: 'quarantine' })
    expect(await thrownBy(() => drain(frozen))).toMatchObject({ quarantinedTo: undefined })
    await frozen.close()
    const moving = await openStore(directory.path, { onCorrupt: 'quarantine' })
    const error = (await thrownBy(() => drain(moving))) as Error & { quarantinedTo?: string }
    expect(error).toMatchObject({ code: 'ERR_BLOB_CORRUPT' })
    expect(existsSync(at(error.quarantinedTo!))).toBe(true)
    expect(await thrownBy(() => drain(moving))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    await moving.close()
  })

  test('leaves an intact blob that has replaced the corrupt one', async () => {
    const moving = await openStore(directory.path, { onCorrupt: 'quarantine' })
    damageBlob(directory.path, image.layer.digest, 'flip')
    const error = await thrownBy(async () => {
      for await (const _ of moving.read(image.layer.digest)) {
        rmSync(pathOf(image.layer.digest), { force: true })
        await store.put(Buffer.alloc(200_000, 'layer'))
      }
    })
    expect(error).toMatchObject({ code: 'ERR_BLOB_CORRUPT', quarantinedTo: undefined })
    expect((await checkStore(store)).sound).toBe(true)
    await moving.close()
  })
})

describe('how a check runs', () => {
  test('it reports its progress', async () => {
    const news: CheckProgress[] = []
    await checkStore(store, { onProgress: progress => news.push(progress), concurrency: 1 })
    expect(news.map(({ blobs, totalBlobs }) => [blobs, totalBlobs])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
    expect(news.at(-1)!.bytes).toBe(news.at(-1)!.totalBytes)
  })

  test('it stops at once on abort, with the reason, and is resumed later', async () => {
    for (let i = 0; i < 40; i++) await store.put(Buffer.alloc(1000, `blob ${i}`))
    damageBlob(directory.path, image.layer.digest, 'flip')
    const reason = new Error('enough')
    const stop = new AbortController()
    let read = 0
    const onProgress = () => {
      read++
      if (read === 25) stop.abort(reason)
    }
    expect(await thrownBy(() => checkStore(store, { signal: stop.signal, onProgress, concurrency: 2 }))).toBe(reason)
    const seen: Digest[] = []
    const report = await checkStore(store, { resume: true, onProgress: ({ digest }) => seen.push(digest) })
    expect(report).toMatchObject({ resumed: true, blobs: 43 })
    expect(seen.length).toBeLessThan(22)
    expect(report.problems.filter(problem => problem.class === 'corrupt')).toMatchObject([
      { digest: image.layer.digest },
    ])
    const again = await checkStore(store, { resume: true })
    expect(again).toMatchObject({ resumed: false, blobs: 43 })
    expect(again.bytes).toBe(report.bytes)
  })

  test('a damaged or old progress record is ignored', async () => {
    for (const record of [
      '{',
      '{"version":2}',
      '{"version":1,"after":"x","blobs":1,"bytes":1,"damaged":[],"savedMs":1}',
    ]) {
      await store.derived.set('facts', 'check-progress', Buffer.from(record))
      expect(await checkStore(store, { resume: true })).toMatchObject({ resumed: false, blobs: 3 })
    }
    const after = `sha256:${'f'.repeat(64)}`
    const old = { version: 1, after, blobs: 3, bytes: 3, damaged: [], savedMs: Date.now() - 8 * 86_400_000 }
    await store.derived.set('facts', 'check-progress', Buffer.from(JSON.stringify(old)))
    expect(await checkStore(store, { resume: true })).toMatchObject({ resumed: false, blobs: 3 })
    const young = { ...old, savedMs: Date.now() - 1000 }
    await store.derived.set('facts', 'check-progress', Buffer.from(JSON.stringify(young)))
    expect(await checkStore(store, { resume: true })).toMatchObject({ resumed: true, blobs: 3, bytes: 3 })
  })

  test('it reads no faster than bytesPerSecond', async () => {
    const begun = performance.now()
    await checkStore(store, { bytesPerSecond: 1_000_000 })
    expect(performance.now() - begun).toBeGreaterThan(180)
    const reason = new Error('enough')
    const slow = checkStore(store, { bytesPerSecond: 10, signal: AbortSignal.timeout(20) })
    expect((await thrownBy(() => slow)).name).toBe('TimeoutError')
    const signal = AbortSignal.abort(reason)
    expect(await thrownBy(() => checkStore(store, { signal }))).toBe(reason)
  })

  test('invalid options are refused', async () => {
    for (const options of [{ concurrency: 0 }, { concurrency: 65 }, { concurrency: 1.5 }, { bytesPerSecond: 0 }]) {
      expect((await thrownBy(() => checkStore(store, options))).code).toBe('ERR_INVALID_ARGUMENT')
    }
  })

  test('a read-only store is checked without a trace', async () => {
    const tree = () => readdirSync(directory.path, { recursive: true, encoding: 'utf8' }).sort()
    await store.close()
    const before = tree()
    const frozen = await openStore(directory.path, { readOnly: true })
    expect((await checkStore(frozen)).sound).toBe(true)
    await frozen.close()
    expect(tree()).toEqual(before)
  })

  test('blobs that another process removes meanwhile are not reported', async () => {
    const other = await openStore(directory.path)
    const onProgress = async ({ blobs }: CheckProgress) => {
      if (blobs !== 1) return
      await other.references.delete('app:1')
      rmSync(pathOf(image.layer.digest), { force: true })
    }
    let removed: Promise<void> | undefined
    const report = await checkStore(store, {
      concurrency: 1,
      bytesPerSecond: 2_000_000,
      onProgress: progress => {
        removed ??= onProgress(progress)
      },
    })
    await removed
    expect(report.problems.filter(problem => problem.class !== 'orphan')).toEqual([])
    await other.close()
  })

  test('a store without files is checked by its listing', async () => {
    await using memory = createMemoryStore()
    const { manifest, layer } = await putStoreImage(memory)
    await memory.references.set('app:1', manifest)
    await memory.delete(layer.digest)
    const report = await checkStore(memory, { quarantine: true })
    expect(report.problems).toMatchObject([{ class: 'missing', path: layer.digest }])
  })
})

test('an image whose config lists other layers than its manifest is a fault, with the path of references to it', async () => {
  const { layer, config } = await putStoreImage(store, 'one layer')
  const body = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [] }
  const bad = await putStoreDocument(store, MediaType.OciManifest, body)
  await store.references.set('bad:1', bad)
  const report = await checkStore(store)
  expect(report.faults).toMatchObject([
    { digest: bad.digest, code: 'ERR_INVALID_CONFIG', reason: 'tag bad:1 → manifest' },
  ])
  expect(report.sound).toBe(false)
  // In the order in which the file system lists them.
  expect(report.problems).toHaveLength(2)
  expect(report.problems).toContainEqual(expect.objectContaining({ class: 'orphan', digest: layer.digest }))
})

test('a name that refers to an unverifiable digest is a fault, and the check continues', async () => {
  const digest = `sha384:${'0'.repeat(96)}`
  const manifests = [image.manifest, { mediaType: MediaType.OciLayer, digest, size: 7 }]
  const index = await putStoreDocument(store, MediaType.OciIndex, { schemaVersion: 2, manifests })
  const path = at('index.json')
  const names = JSON.parse(readFileSync(path, 'utf8'))
  names.manifests.push({ ...index, annotations: { 'org.opencontainers.image.ref.name': 'odd:1' } })
  writeFileSync(path, JSON.stringify(names))
  const { faults, problems } = await checkStore(store)
  expect(faults).toMatchObject([{ digest, code: 'ERR_INVALID_DIGEST', reason: 'tag odd:1 → index → layer' }])
  expect(problems).toEqual([])
})
