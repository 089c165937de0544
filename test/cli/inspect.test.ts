import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { type Descriptor, hostPlatform, MediaType } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const IN_TOTO = 'application/vnd.in-toto+json'
const CACHE_CONFIG = 'application/vnd.buildkit.cacheconfig.v0'
const TITLE = 'org.opencontainers.image.title'

let directory: ReturnType<typeof temporaryDirectory>
let path: string
let image: Descriptor
let layer: Descriptor
let attestation: Descriptor
const run = (...args: string[]) => cli([...args, '--hasher', 'native'], { store: path })
const text = async (...args: string[]) => {
  const { code, stdout, stderr } = await run('inspect', ...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const json = async (...args: string[]) => JSON.parse(await text(...args, '--json'))

async function put(store: Store, content: string, mediaType: string, annotations?: Record<string, string>) {
  return { mediaType, ...(await store.put(Buffer.from(content))), ...(annotations && { annotations }) }
}

async function manifest(store: Store, members: { config: Descriptor; layers: Descriptor[] } & Record<string, unknown>) {
  const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, ...members }
  return putStoreDocument(store, MediaType.OciManifest, document)
}

async function index(store: Store, name: string, members: { manifests: Descriptor[] } & Record<string, unknown>) {
  const document = { schemaVersion: 2, mediaType: MediaType.OciIndex, ...members }
  const descriptor = await putStoreDocument(store, MediaType.OciIndex, document)
  await store.references.set(name, descriptor)
  return descriptor
}

beforeAll(async () => {
  directory = temporaryDirectory('inspect')
  path = join(directory.path, 'store')
  await using store = await openStore(path, { durability: 'none', hasher: 'native' })
  const { architecture } = hostPlatform()
  const sample = await sampleImage(store, [{ a: 'a' }], { name: 'image:1', config: { Cmd: ['sh'] }, architecture })
  image = sample.descriptor
  layer = sample.manifest.layers[0]!
  const empty = await put(store, '{}', MediaType.OciEmpty)
  await artifacts(store, empty)
  await indexes(store, empty)
})
afterAll(() => directory[Symbol.dispose]())

async function artifacts(store: Store, empty: Descriptor): Promise<void> {
  const files = [
    await put(store, 'bom', 'application/spdx+json', { [TITLE]: 'sbom.json', 'com.example.note': 'of a layer' }),
    await put(store, 'other', 'text/plain'),
  ]
  const annotations = { 'org.opencontainers.image.created': '2026-11-29T00:00:00Z' }
  const sbom = {
    artifactType: 'application/vnd.example.sbom',
    config: empty,
    layers: files,
    subject: image,
    annotations,
  }
  await store.references.set('sbom:1', await manifest(store, sbom))
  const helm = {
    config: await put(store, '{"name":"x"}', 'application/vnd.cncf.helm.config.v1+json'),
    layers: [files[1]!],
  }
  await store.references.set('chart:1', await manifest(store, helm))
  const config = await put(
    store,
    '{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}',
    MediaType.OciConfig,
  )
  const predicate = { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' }
  attestation = await manifest(store, { config, layers: [await put(store, '{"_type":"x"}', IN_TOTO, predicate)] })
  const signed = await put(store, '{"critical":{}}', 'application/vnd.dev.cosign.simplesigning.v1+json')
  await store.references.set('signature:1', await manifest(store, { config, layers: [signed] }))
  const cached = { config: await put(store, '{"layers":[]}', CACHE_CONFIG), layers: [layer] }
  await store.references.set('cache:manifest', await manifest(store, cached))
}

async function indexes(store: Store, empty: Descriptor): Promise<void> {
  const reference = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': image.digest }
  const unknown = { os: 'unknown', architecture: 'unknown' }
  const { os, architecture } = hostPlatform()
  await index(store, 'multi:1', {
    manifests: [
      { ...image, platform: { os, architecture } },
      { ...attestation, platform: unknown, annotations: reference },
    ],
    annotations: { of: 'the index' },
  })
  const one = await manifest(store, { artifactType: 'application/vnd.example.one', config: empty, layers: [empty] })
  await index(store, 'plain:1', {
    artifactType: 'application/vnd.example.set',
    manifests: [
      { ...one, artifactType: 'application/vnd.example.one' },
      await put(store, 'x', 'text/x-thing', { [TITLE]: 'thing' }),
    ],
  })
  await index(store, 'cache:1', { manifests: [layer, await put(store, '{"records":[]}', CACHE_CONFIG)] })
}

/** The value of a line `Label  value`. */
const fact = (output: string, label: string) => new RegExp(`^${label} +(.*)$`, 'm').exec(output)?.[1]

test('an image is described with its platform, config and layers, as before', async () => {
  const output = await text('image:1')
  expect(fact(output, 'Kind')).toBe('image')
  expect(fact(output, 'Command')).toBe('["sh"]')
  expect(output).toContain(layer.digest)
  expect(await json('image:1')).toMatchObject({
    name: 'image:1',
    kind: 'image',
    root: image,
    descriptor: image,
    layers: [{ descriptor: layer }],
  })
})

test('an image is described with each member of its run configuration, also those that only Docker defines', async () => {
  {
    await using store = await openStore(path, { durability: 'none', hasher: 'native' })
    const config = {
      User: '999',
      WorkingDir: '/srv',
      Entrypoint: ['run'],
      Shell: ['/bin/bash', '-c'],
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD', 'ok'], Interval: 5_000_000_000 },
      ExposedPorts: { '5432/tcp': {} },
      Volumes: { '/data': {} },
      Env: ['A=1'],
      Labels: { team: 'a' },
      OnBuild: ['RUN true'],
    }
    await sampleImage(store, [{ a: 'a' }], { name: 'run:1', config })
  }
  expect(await text('run:1')).toContain(
    [
      'User          999',
      'Working dir   /srv',
      'Entrypoint    ["run"]',
      'Shell         ["/bin/bash","-c"]',
      'Stop signal   SIGINT',
      'Health check  {"Interval":5000000000,"Test":["CMD","ok"]}',
      'Port          5432/tcp',
      'Volume        /data',
      'Env           A=1',
      'Label         team=a',
      'On build      RUN true',
    ].join('\n'),
  )
})

describe('an artifact', () => {
  test('is described with its type, its subject, its annotations and the titles of its layers', async () => {
    const output = await text('sbom:1')
    expect(fact(output, 'Kind')).toBe('artifact')
    expect(fact(output, 'Artifact type')).toBe('application/vnd.example.sbom')
    expect(fact(output, 'Config')).toContain(`(${MediaType.OciEmpty}, 2B)`)
    expect(fact(output, 'Subject')).toContain(image.digest)
    expect(fact(output, 'Annotation')).toBe('org.opencontainers.image.created=2026-11-29T00:00:00Z')
    expect(output).toMatch(
      /^LAYER +SIZE +TYPE +TITLE\nsha256:\w{64} +3B +application\/spdx\+json +sbom\.json\nsha256:/m,
    )
    expect((await json('sbom:1')).manifest.layers[0].annotations).toEqual({
      [TITLE]: 'sbom.json',
      'com.example.note': 'of a layer',
    })
  })

  test('without a type of its own has that of its config', async () => {
    const output = await text('chart:1')
    expect([fact(output, 'Kind'), fact(output, 'Artifact type')]).toEqual([
      'artifact',
      'application/vnd.cncf.helm.config.v1+json',
    ])
  })

  test.each([
    ['cache:manifest', 'cache'],
    ['signature:1', 'signature'],
  ])('%s is a %s', async (name, kind) => {
    expect(fact(await text(name), 'Kind')).toBe(kind)
    expect(await json(name)).toMatchObject({ kind, manifest: { schemaVersion: 2 } })
  })

  test('that attests to an image says what is stated', async () => {
    const output = await text(attestation.digest)
    expect(fact(output, 'Kind')).toBe('attestation')
    expect(output).toContain('https://slsa.dev/provenance/v0.2')
  })
})

describe('an index', () => {
  test('is described with its entries, and the image for this machine', async () => {
    const output = await text('multi:1')
    expect(fact(output, 'Kind')).toBe('index')
    expect(fact(output, 'Annotation')).toBe('of=the index')
    const { os, architecture } = hostPlatform()
    expect(output).toMatch(new RegExp(`^${image.digest} +\\S+ +${os}/${architecture} +image +yes$`, 'm'))
    expect(output).toMatch(
      new RegExp(`^${attestation.digest} +\\S+ +- +attestation of ${image.digest.slice(0, 19)} +yes$`, 'm'),
    )
    expect(output).toContain('For this machine:')
    expect(fact(output, 'Command')).toBe('["sh"]')
    expect(await json('multi:1')).toMatchObject({
      kind: 'index',
      descriptor: { digest: image.digest },
      config: { config: { Cmd: ['sh'] } },
      entries: [{ kind: 'image', present: true }, { kind: 'attestation' }],
    })
  })

  test('with --platform is the image of that platform, or an error that names those it has', async () => {
    const { os, architecture } = hostPlatform()
    expect(await json('multi:1', '--platform', `${os}/${architecture}`)).toMatchObject({
      kind: 'image',
      descriptor: { digest: image.digest },
    })
    const { code, stderr } = await run('inspect', 'multi:1', '--platform', 'windows/arm')
    expect([code, stderr]).toEqual([1, expect.stringContaining('(ERR_PLATFORM_NOT_FOUND)')])
  })

  test('without platforms is described by the kinds of its entries', async () => {
    const output = await text('plain:1')
    expect(fact(output, 'Artifact type')).toBe('application/vnd.example.set')
    expect(output).toMatch(/ - +artifact \(application\/vnd\.example\.one\) +yes$/m)
    expect(output).toMatch(/ - +blob \(text\/x-thing\) "thing" +yes$/m)
    expect(output).not.toContain('For this machine')
  })

  test('of a BuildKit cache is a cache', async () => {
    const output = await text('cache:1')
    expect(fact(output, 'Kind')).toBe('cache')
    expect(output).toMatch(new RegExp(`^${layer.digest} +\\S+ +- +layer +yes$`, 'm'))
    expect(output).toMatch(/ - +blob \(application\/vnd\.buildkit\.cacheconfig\.v0\) +yes$/m)
  })

  test('of which not everything was pulled names the missing blobs', async () => {
    await using store = await openStore(path)
    const absent = { ...image, digest: `sha256:${'e'.repeat(64)}`, platform: { os: 'plan9', architecture: 'arm' } }
    const document = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [absent] }
    const { digest } = await putStoreDocument(store, MediaType.OciIndex, document)
    expect(await text(digest)).toMatch(/^sha256:e{64} +\S+ +plan9\/arm +manifest +no$/m)
  })
})

describe('a blob that is neither manifest nor index', () => {
  test('is described by its digest and the kind of its bytes', async () => {
    expect(fact(await text(layer.digest), 'Content')).toBe('gzip')
    expect(fact(await text(layer.digest), 'Size')).toMatch(/B$/)
    const { config } = await json('image:1')
    const { manifest: found } = await json('image:1')
    expect(config.os).toBe('linux')
    expect(await json(found.config.digest)).toMatchObject({ kind: 'blob', present: true, content: 'json' })
  })

  test('has the name that another tool gave it', async () => {
    const at = join(path, 'index.json')
    const before = readFileSync(at, 'utf8')
    const document = JSON.parse(before)
    const annotations = { 'org.opencontainers.image.ref.name': 'thing', note: 'kept' }
    document.manifests.push({ ...layer, mediaType: 'application/vnd.example.thing', annotations })
    writeFileSync(at, JSON.stringify(document))
    const output = await text('thing')
    writeFileSync(at, before)
    expect(fact(output, 'Kind')).toContain('blob')
    expect(fact(output, 'Media type')).toBe('application/vnd.example.thing')
    expect(fact(output, 'Annotation')).toBe('note=kept')
  })

  test('that does not exist is an error', async () => {
    for (const name of [`sha256:${'f'.repeat(64)}`, 'none:1']) {
      const { code, stderr } = await run('inspect', name)
      expect([code, stderr]).toEqual([1, expect.stringContaining('(ERR_REFERENCE_NOT_FOUND)')])
    }
  })
})

test('images names the platforms of images, and none for attestations', async () => {
  const rows = JSON.parse((await run('images', '--json')).stdout) as { name: string; platforms: string[] }[]
  const { os, architecture } = hostPlatform()
  const platformsOf = (name: string) => rows.find(row => row.name === name)?.platforms
  expect(platformsOf('multi:1')).toEqual([`${os}/${architecture}`])
  expect(platformsOf('signature:1')).toEqual([])
})
