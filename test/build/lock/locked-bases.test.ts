import { describe, expect, test } from 'vitest'
import {
  type BuildImageOptions,
  type BuildPlan,
  buildImage,
  dockerfileStages,
  type ImageLock,
  openContext,
  planBuild,
  runBuild,
} from '../../../lib/build/index.ts'
import type { Digest } from '../../../lib/digest/index.ts'
import { composeIndex } from '../../../lib/image/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import type { ImageToVerify } from '../../../lib/transfer/index.ts'
import { filesOf } from '../../helpers/build-files.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../../helpers/served-registry.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

serveRegistry()
const platforms = ['linux/amd64', 'linux/arm64'] as const

/** Sets a tag of the registry to an index with an image for each platform, whose file `v` has a text. */
async function publish(name: string, text: string, config = {}): Promise<{ index: Digest; manifests: Digest[] }> {
  const images = []
  for (const platform of platforms) {
    const architecture = platform.slice('linux/'.length)
    const { descriptor } = await sampleImage(remote, [{ v: `${text} ${architecture}` }], { architecture, config })
    images.push(descriptor)
  }
  const { descriptor } = await composeIndex(remote, { images })
  await remote.references.set(name, descriptor)
  return { index: descriptor.digest as Digest, manifests: images.map(({ digest }) => digest) }
}

const stages = (...lines: string[]) => dockerfileStages(`${lines.join('\n')}\n`)
const common = () => ({ registry, context: { files: { a: 'a' } }, platforms: ['linux/amd64'] })
/** Builds in a store, an empty one unless it is given, and returns the result and its lock. */
async function build(
  text: ReturnType<typeof stages>,
  options: BuildImageOptions = {},
  into: Store = createMemoryStore(),
) {
  const locks: ImageLock[] = []
  const lock = { ...options.lock, onLock: (made: ImageLock) => void locks.push(made) }
  const result = await buildImage(into, text, { ...common(), ...options, lock })
  return { result, lock: locks[0]!, files: await filesOf(into, result) }
}
const basesOf = ({ bases }: ImageLock) => bases.map(({ reference, platform }) => `${reference} ${platform}`)

describe('a lock has every image that a build reads', () => {
  test('also one that a later step of a new build copies from', async () => {
    for (const name of ['base', 'tools', 'more', 'unused']) await publish(`${name}:1`, name)
    const text = stages(
      `FROM ${ref('unused:1')} AS unused`,
      `FROM ${ref('tools:1')} AS tools`,
      'COPY a /first',
      `FROM ${ref('base:1')}`,
      'COPY a /first',
      `COPY --from=${ref('more:1')} /v /more`,
      'COPY --from=tools /v /tools',
    )
    const { lock, files } = await build(text)
    expect(basesOf(lock).sort()).toEqual(['base:1', 'more:1', 'tools:1'].map(name => `${ref(name)} linux/amd64`))
    expect(files).toMatchObject({ v: expect.stringContaining('base'), more: expect.stringContaining('more') })
  })

  test('also one that RUN mounts', async () => {
    for (const name of ['base', 'tools']) await publish(`${name}:1`, name)
    const mount = `--mount=type=bind,from=${ref('tools:1')},target=/tools`
    const text = stages(`FROM ${ref('base:1')}`, 'COPY a /', `RUN ${mount} true`)
    await using context = await openContext({ files: { a: 'a' } })
    const { images } = await planBuild(store, text, { ...common(), context })
    expect(images[0]!.bases.map(({ reference }) => reference)).toEqual([ref('base:1'), ref('tools:1')])
  })

  test('also the images of ONBUILD', async () => {
    await publish('more:1', 'more')
    await publish('base:1', 'base', { OnBuild: ['COPY a /first', `COPY --from=${ref('more:1')} /v /more`] })
    const { lock } = await build(stages(`FROM ${ref('base:1')}`))
    expect(basesOf(lock)).toEqual([`${ref('base:1')} linux/amd64`, `${ref('more:1')} linux/amd64`])
  })

  test('with the manifest and the index of each platform', async () => {
    const { index, manifests } = await publish('base:1', 'one')
    const { lock, result } = await build(stages(`FROM ${ref('base:1')}`, 'COPY a /'), { platforms })
    expect(lock.bases).toMatchObject(
      platforms.map((platform, i) => ({ reference: ref('base:1'), platform, digest: manifests[i], index })),
    )
    await publish('base:1', 'two')
    const again = await build(stages(`FROM ${ref('base:1')}`, 'COPY a /'), { platforms, lock: { locked: lock } })
    expect(again.result.descriptor).toEqual(result.descriptor)
    expect(again.lock).toEqual(lock)
  })
})

test('a frozen lock refuses an image that a later step of a new build copies from, before a step runs', async () => {
  for (const name of ['base', 'more']) await publish(`${name}:1`, name)
  const { lock } = await build(stages(`FROM ${ref('base:1')}`, 'COPY a /'))
  const seen: string[] = []
  const text = stages(`FROM ${ref('base:1')}`, 'COPY a /b', `COPY --from=${ref('more:1')} /v /more`)
  const onProgress = ({ kind }: { kind: string }) => void seen.push(kind)
  const error = await thrownBy(() => build(text, { lock: { locked: lock, frozen: true }, onProgress }))
  expect(error).toMatchObject({ code: 'ERR_BUILD_LOCK', at: 'Dockerfile:3:1' })
  expect(error.message).toContain(
    `the lock has no base "${ref('more:1')}" for linux/amd64; a build that is not frozen adds it`,
  )
  expect(seen).not.toContain('step-started')
})

test('a stored plan keeps its bases, also those that it has from a lock, when their tags move', async () => {
  for (const name of ['base', 'more']) await publish(`${name}:1`, 'one')
  const lines = [`FROM ${ref('base:1')}`, 'COPY a /first', `COPY --from=${ref('more:1')} /v /more`]
  const { lock, result } = await build(stages(...lines))
  const run = async (plan: BuildPlan) => {
    await using context = await openContext({ files: { a: 'a' } })
    const options = { store: createMemoryStore(), registry, context }
    return runBuild(JSON.parse(JSON.stringify(plan)), options)
  }
  await using context = await openContext({ files: { a: 'a' } })
  const planned = { ...common(), context }
  const before = await planBuild(createMemoryStore(), stages(...lines), planned)
  for (const name of ['base', 'more']) await publish(`${name}:1`, 'two')
  const locked = await planBuild(createMemoryStore(), stages(...lines), { ...planned, lock: { locked: lock } })
  const later = await planBuild(createMemoryStore(), stages(...lines), planned)
  for (const name of ['base', 'more']) await publish(`${name}:1`, 'three')
  expect((await run(before)).descriptor).toEqual(result.descriptor)
  expect((await run(locked)).descriptor).toEqual(result.descriptor)
  expect((await run(later)).descriptor).not.toEqual(result.descriptor)
  expect(later.images[0]!.bases.map(({ digest }) => digest)).not.toEqual(lock.bases.map(({ digest }) => digest))
})

describe('a locked base is found', () => {
  const text = () => stages(`FROM ${ref('base:1')}`, 'COPY a /')

  test('in the store by its name, and then its missing layers are fetched from where the name says', async () => {
    await publish('base:1', 'one')
    const middle = stages(`FROM ${ref('base:1')}`, 'ENV A=1')
    // No step reads the layers, so they stay in the registry.
    await buildImage(store, middle, { ...common(), names: ['middle:1'] })
    const locks: ImageLock[] = []
    const lock = { onLock: (made: ImageLock) => void locks.push(made) }
    await buildImage(store, stages('FROM middle:1', 'ENV B=1'), { ...common(), lock })
    const reading = stages('FROM middle:1', 'COPY --chown=root a /')
    const again = await build(reading, { lock: { locked: locks[0], frozen: true } }, store)
    expect(again.files.v).toContain('one amd64')
  })

  test('in the store without a name, if its layers are there', async () => {
    const { manifests } = await publish('base:1', 'one')
    const { lock } = await build(text())
    const full = createMemoryStore()
    await sampleImage(full, [{ v: 'one amd64' }], { architecture: 'amd64' })
    expect(await full.stat(manifests[0]!)).toBeDefined()
    server.requests.length = 0
    await build(text(), { lock: { locked: lock } }, full)
    expect(server.requests).toEqual([])
  })

  test('in the registry by the digest of its manifest, with one request for it', async () => {
    const { manifests } = await publish('base:1', 'one')
    const { lock } = await build(text())
    server.requests.length = 0
    await build(text(), { lock: { locked: lock } })
    expect(server.requests.filter(request => request.includes('/manifests/'))).toEqual([
      `GET /v2/base/manifests/${manifests[0]}`,
    ])
  })
})

describe('with a policy', () => {
  const text = () => stages(`FROM ${ref('base:1')}`, 'COPY a /')
  const seen: ImageToVerify[] = []
  const verify = async (image: ImageToVerify) => void seen.push(image)

  test('a locked base is verified with its index, whose tag may have moved', async () => {
    const { index, manifests } = await publish('base:1', 'one')
    const { lock } = await build(text())
    await publish('base:1', 'two')
    seen.length = 0
    const { lock: again } = await build(text(), { verify, lock: { locked: lock } })
    expect(seen).toMatchObject([{ root: { digest: manifests[0] }, index }])
    expect(again).toEqual(lock)
  })

  test('a blob of the store without a name is no verified base', async () => {
    const { manifests } = await publish('base:1', 'one')
    const { lock } = await build(text())
    const full = createMemoryStore()
    await sampleImage(full, [{ v: 'one amd64' }], { architecture: 'amd64' })
    const refuse = async () => {
      throw new Error('refused')
    }
    const refused = await thrownBy(() => build(text(), { verify: refuse, lock: { locked: lock } }, full))
    expect(refused.message).toContain('refused')
    expect(await full.stat(manifests[0]!)).toBeDefined()
    const offline = { verify: refuse, pull: 'never', lock: { locked: lock } } as const
    expect(await thrownBy(() => build(text(), offline, full))).toMatchObject({
      cause: { code: 'ERR_REFERENCE_NOT_FOUND' },
    })
  })

  test('an index of the lock that lists another image is refused', async () => {
    await publish('base:1', 'one')
    const { lock } = await build(text())
    const { index } = await publish('base:1', 'two')
    const bases = lock.bases.map(base => ({ ...base, index }))
    const error = await thrownBy(() => build(text(), { verify, lock: { locked: { ...lock, bases } } }))
    expect(error).toMatchObject({ code: 'ERR_BUILD_LOCK', message: expect.stringContaining('the lock is not valid') })
  })
})
