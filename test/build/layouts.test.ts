import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BuildLockOptions, dockerfileStages, type ImageLock, planBuild } from '../../lib/build/index.ts'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeIndex } from '../../lib/image/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { ImageToVerify } from '../../lib/transfer/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
let place: ReturnType<typeof temporaryDirectory>
let directory: string
beforeEach(async () => {
  store = createMemoryStore()
  place = temporaryDirectory('layouts')
  directory = join(place.path, 'layout')
  await using layout = await openStore(directory, { durability: 'none' })
  await sampleImage(layout, [{ 'etc/os': 'of the layout' }], { name: 'latest', config: { Env: ['A=1'] } })
  await sampleImage(layout, [{ 'etc/os': 'other' }], { name: 'v2' })
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})

const text = 'FROM base\nCOPY a /\n'
const stages = (reference: string) => dockerfileStages(text, { images: { base: reference } })

test('a base comes from an image layout: config, layers, and no name of it in the image', async () => {
  const layouts = { 'oci-layout:///x': { directory }, 'oci-layout:///x:v2': { directory, name: 'v2' } }
  const result = await buildFiles(store, stages('oci-layout:///x'), { a: 'a' }, { layouts, names: ['app:1'] })
  expect(await filesOf(store, result)).toMatchObject({ 'etc/os': 'file 644 0:0 of the layout', a: 'file 644 0:0 a' })
  const [image] = result.images
  expect(image!.config.config!.Env).toContain('A=1')
  expect(Object.keys(image!.manifest.annotations!)).toEqual(['org.opencontainers.image.base.digest'])
  const other = await buildFiles(store, stages('oci-layout:///x:v2'), { a: 'a' }, { layouts })
  expect((await filesOf(store, other))['etc/os']).toBe('file 644 0:0 other')
  // The store has the layers now.
  rmSync(directory, { recursive: true })
  expect(await filesOf(store, result)).toMatchObject({ 'etc/os': 'file 644 0:0 of the layout' })
})

test('a layer of a layout is read only when a step or the result needs it, and a plan says so', async () => {
  const layouts = { 'oci-layout:///x': { directory } }
  const plan = await planBuild(store, stages('oci-layout:///x'), { layouts, ...(await contextOf({ a: 'a' })) })
  expect(plan.images[0]!.bases).toMatchObject([{ missingLayers: 1 }])
  await buildFiles(store, stages('oci-layout:///x'), { a: 'a' }, { layouts })
  const again = await buildFiles(store, stages('oci-layout:///x'), { a: 'a' }, { layouts })
  expect(outcomesOf(again)).toEqual(['cached COPY a /'])
})

test('a layout that only the Dockerfile names is not opened', async () => {
  const error = await thrownBy(() => buildFiles(store, dockerfileStages(`FROM oci-layout://${directory}\n`), {}))
  expect(error).toMatchObject({
    cause: { code: expect.stringMatching(/^ERR_(INVALID_REFERENCE|REFERENCE_NOT_FOUND)$/) },
  })
})

test('a layout, a name or a digest that is missing is a typed error with the place', async () => {
  const build = (layout: { directory: string; name?: string }) =>
    thrownBy(() => buildFiles(store, stages('x:y'), { a: 'a' }, { layouts: { 'x:y': layout } }))
  const place = { at: 'Dockerfile:1:1', code: 'ERR_BUILD_STEP' }
  expect(await build({ directory: '/none' })).toMatchObject({ ...place, cause: { code: 'ERR_STORE_NOT_FOUND' } })
  expect(await build({ directory, name: 'v3' })).toMatchObject({ ...place, cause: { code: 'ERR_REFERENCE_NOT_FOUND' } })
  const digest = `sha256:${'0'.repeat(64)}`
  expect(await build({ directory, name: digest })).toMatchObject({
    ...place,
    cause: { code: 'ERR_REFERENCE_NOT_FOUND' },
  })
})

test('a lock fixes a base of a layout, and a frozen one refuses a base that it lacks', async () => {
  const locks: ImageLock[] = []
  const build = (lock: BuildLockOptions) =>
    buildFiles(store, stages('x:y'), { a: 'a' }, { layouts: { 'x:y': { directory } }, lock })
  const first = await build({ onLock: lock => void locks.push(lock) })
  await using layout = await openStore(directory, { durability: 'none' })
  await sampleImage(layout, [{ 'etc/os': 'a newer one' }], { name: 'latest' })
  const [locked] = locks
  expect((await build({ locked, frozen: true })).descriptor).toEqual(first.descriptor)
  expect((await build({})).descriptor).not.toEqual(first.descriptor)
  const without = { ...locked!, bases: [] }
  expect(await thrownBy(() => build({ locked: without, frozen: true }))).toMatchObject({
    cause: { code: 'ERR_BUILD_LOCK' },
  })
})

test('a policy sees the index that lists a base of a layout, also if a lock fixes the base', async () => {
  await using layout = await openStore(directory, { durability: 'none' })
  const { descriptor: root } = await sampleImage(layout, [{ f: 'one' }])
  const { descriptor: top } = await composeIndex(layout, { images: [root] })
  await layout.references.set('latest', top)
  const seen: ImageToVerify[] = []
  const locks: ImageLock[] = []
  const build = (lock: BuildLockOptions) =>
    buildFiles(
      store,
      stages('x:y'),
      { a: 'a' },
      {
        layouts: { 'x:y': { directory } },
        verify: async image => void seen.push(image),
        lock: { ...lock, onLock: made => void locks.push(made) },
      },
    )
  await build({})
  await sampleImage(layout, [{ f: 'two' }], { name: 'latest' })
  const [locked] = locks
  await build({ locked })
  for (const { root: image, index } of seen) expect([image.digest, index]).toEqual([root.digest, top.digest])
  expect(seen).toHaveLength(2)
  expect(locks[1]).toEqual(locked)
  const { descriptor: other } = await sampleImage(layout, [{ f: 'three' }])
  const bases = locked!.bases.map(base => ({ ...base, digest: other.digest as Digest }))
  expect(await thrownBy(() => build({ locked: { ...locked!, bases } }))).toMatchObject({
    cause: { code: 'ERR_BUILD_LOCK' },
  })
})

async function contextOf(files: Record<string, string>) {
  const { openContext } = await import('../../lib/build/index.ts')
  return { context: await openContext({ files }) }
}
