import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type BuildImageOptions,
  type BuildResult,
  dockerfileStages,
  from,
  openContext,
  planBuild,
} from '../../lib/build/index.ts'
import { makeProvenance } from '../../lib/build/provenance/make-provenance.ts'
import type { Digest } from '../../lib/digest/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { type ImageIndex, MediaType, parseIndex, parseManifest } from '../../lib/oci/index.ts'
import { createMemoryStore, readDocument, type Store } from '../../lib/store/index.ts'
import { findAttestations, type ImageStatement } from '../../lib/trust/index.ts'
import { buildFiles } from '../helpers/build-files.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleImage } from '../helpers/sample-image.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

const files = { 'node_modules/left/package.json': '{"name":"left","version":"1.2.3"}', a: 'a' }
const canary = 'canary-value-5f1d'
const dockerfile = [
  'FROM base:1 AS base',
  'ARG API_TOKEN',
  'ARG X',
  'COPY . /app',
  `ADD --checksum=sha256:${'a'.repeat(64)} https://u:${canary}@host.test/f /f`,
  'RUN --mount=type=secret,id=npm --mount=type=ssh --network=none true',
  'FROM base:1',
  'COPY --from=base:1 /etc /etc2',
  'COPY . /app',
].join('\n')

const indexOf = async ({ descriptor }: BuildResult): Promise<ImageIndex> =>
  parseIndex(await readDocument(store, descriptor))
async function statementsOf(result: BuildResult): Promise<ImageStatement[]> {
  const found = await findAttestations(store, result.descriptor.digest)
  return Promise.all(found.map(async ({ read }) => JSON.parse(Buffer.from(await read()).toString())))
}
const build = (options: BuildImageOptions, text = dockerfile) =>
  buildFiles(store, dockerfileStages(text), files, options)

test('a build attests nothing unless it is asked to', async () => {
  const { descriptor } = await buildFiles(store, from('scratch').copy('a', '/'), files)
  expect(descriptor.mediaType).toBe(MediaType.OciManifest)
  const { descriptor: same } = await buildFiles(store, from('scratch').copy('a', '/'), files, { attestations: {} })
  expect(same).toEqual(descriptor)
})

test('statements are in a manifest of the index beside the image, as BuildKit stores them', async () => {
  const stage = from('scratch').copy('.', '/app')
  const plain = await buildFiles(store, stage, files)
  const attested = await buildFiles(store, stage, files, {
    attestations: { provenance: {}, sbom: true },
    names: ['host.test/team/app:1', 'nginx'],
  })
  const index = await indexOf(attested)
  const image = plain.descriptor
  expect(index.manifests[0]).toEqual({ ...image, platform: { os: 'linux', architecture: expect.any(String) } })
  const entry = index.manifests[1]!
  expect(entry).toEqual({
    mediaType: MediaType.OciManifest,
    digest: expect.any(String),
    size: expect.any(Number),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': image.digest,
    },
  })
  expect(parseManifest(await readDocument(store, entry))).toMatchObject({
    artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
    config: { mediaType: MediaType.OciEmpty },
    subject: { digest: image.digest },
    layers: ['https://spdx.dev/Document', 'https://slsa.dev/provenance/v1'].map(type => ({
      mediaType: 'application/vnd.in-toto+json',
      annotations: { 'in-toto.io/predicate-type': type },
    })),
  })
  const [sbom, provenance] = await statementsOf(attested)
  const [architecture] = attested.images.map(({ platform }) => platform.replaceAll('/', '%2F'))
  const digest = { sha256: image.digest.slice(7) }
  expect(sbom).toMatchObject({
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://spdx.dev/Document',
    subject: [
      { name: `pkg:docker/host.test/team/app@1?platform=${architecture}`, digest },
      { name: `pkg:docker/nginx@latest?platform=${architecture}`, digest },
    ],
    predicate: { packages: [{ name: 'host.test/team/app:1' }, { name: 'left', versionInfo: '1.2.3' }] },
  })
  expect(provenance).toMatchObject({ subject: sbom!.subject, predicateType: 'https://slsa.dev/provenance/v1' })
  // The image is found by its platform, and not the statement.
  expect((await readImage(store, 'nginx')).descriptor.digest).toBe(image.digest)
})

/** A base whose only step that runs is in a stage that is not built. */
async function builtWith(attestations: BuildImageOptions['attestations'], options: BuildImageOptions = {}) {
  const base = await sampleImage(store, [{ 'etc/os-release': 'ID=x\n', f: 'f' }], { name: 'base:1' })
  const result = await build({ attestations, ...options })
  const statements = await statementsOf(result)
  return { base, result, statements, predicate: statements.at(-1)!.predicate as Record<string, never> }
}

test('a provenance names bases by digest and the context, and of the request only the frontend', async () => {
  const { base, predicate } = await builtWith({ provenance: { buildArgs: { X: canary }, target: 't' } })
  const platform = encodeURIComponent('linux/amd64')
  expect(predicate).toEqual({
    buildDefinition: {
      buildType: expect.stringContaining('slsa-definitions.md'),
      externalParameters: {
        configSource: { path: 'Dockerfile' },
        request: { frontend: 'dockerfile.v0', locals: [{ name: 'context' }, { name: 'dockerfile' }] },
      },
      internalParameters: { builderPlatform: 'linux/amd64' },
      resolvedDependencies: [
        { uri: `pkg:docker/base@1?platform=${platform}`, digest: { sha256: base.descriptor.digest.slice(7) } },
        { uri: 'context', digest: { layerstoreContext: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      ],
    },
    runDetails: {
      builder: { id: 'pkg:npm/layerstore' },
      metadata: {
        startedOn: expect.stringMatching(/^20\d\d-/),
        finishedOn: expect.stringMatching(/^20\d\d-/),
        buildkit_completeness: { request: false, resolvedDependencies: true },
      },
    },
  })
})

test('a provenance names what ADD downloads, without passwords, and the ids of secrets and agents', async () => {
  await sampleImage(store, [{ f: 'f' }], { name: 'base:1' })
  const commit = 'b'.repeat(40)
  const text = `${dockerfile.split('\nFROM base:1\n')[0]}\nADD --checksum=${commit} https://git.test/r.git#main /r\nADD https://x.test/y /\nRUN true\n`
  await using context = await openContext({ files })
  const plan = await planBuild(store, dockerfileStages(text), { context, platforms: ['linux/amd64'] })
  const times = { startedOn: '2023-11-14T22:13:20Z', finishedOn: '2023-11-14T22:13:20Z' }
  const predicate = makeProvenance({ image: plan.images[0]!, ...times }, {})
  expect(JSON.stringify(predicate)).not.toContain(canary)
  expect(predicate).toMatchObject({
    buildDefinition: {
      externalParameters: { request: { secrets: [{ id: 'npm' }], ssh: [{ id: 'default' }] } },
      resolvedDependencies: [
        { uri: expect.stringContaining('pkg:docker/base@1') },
        { uri: 'https://host.test/f', digest: { sha256: 'a'.repeat(64) } },
        { uri: 'https://git.test/r.git#main', digest: { sha1: commit, gitCommit: commit } },
        { uri: 'https://x.test/y' },
      ],
    },
    runDetails: { metadata: { buildkit_completeness: { resolvedDependencies: false } } },
  })
})

test('a provenance names a base as BuildKit does: the digest that its reference leads to, and the port as it is', async () => {
  await sampleImage(store, [{ f: 'f' }], { name: 'base:1' })
  const { images } = await planBuild(store, dockerfileStages('FROM base:1\n'), { platforms: ['linux/amd64'] })
  const [image] = images
  const [base] = image!.bases
  const [index, digest] = ['1', '2'].map(letter => `sha256:${letter.repeat(64)}` as Digest)
  const times = { startedOn: '2023-11-14T22:13:20Z', finishedOn: '2023-11-14T22:13:20Z' }
  const materialOf = (reference: string, more: { index?: Digest } = {}) => {
    const bases = [{ ...base!, reference, digest: digest!, ...more }]
    const predicate = makeProvenance({ image: { ...image!, bases }, ...times }, {})
    return (predicate as { buildDefinition: { resolvedDependencies: object[] } }).buildDefinition
      .resolvedDependencies[0]
  }
  const [named, end] = ['pkg:docker/127.0.0.1:5000/team/base', 'platform=linux%2Famd64']
  expect(materialOf('127.0.0.1:5000/team/base:1', { index: index! })).toEqual({
    uri: `${named}@1?${end}`,
    digest: { sha256: '1'.repeat(64) },
  })
  const sha256 = '2'.repeat(64)
  expect(materialOf(`127.0.0.1:5000/team/base:1@${digest}`)).toEqual({
    uri: `${named}@1?digest=${digest}&${end}`,
    digest: { sha256 },
  })
  expect(materialOf(`127.0.0.1:5000/team/base@${digest}`)).toMatchObject({ uri: `${named}?digest=${digest}&${end}` })
  for (const [reference, name] of [
    ['oci-layout:///home/me/Base:v1', 'base'],
    ['oci-layout:///home/me/base', 'base'],
    [`oci-layout:///home/me/base@${digest}`, 'base'],
    [`oci-layout:///home/me/base:v1@${digest}`, 'base'],
    ['oci-layout://', 'image'],
  ] as const) {
    const uri = `pkg:oci/${name}@sha256%3A${sha256}?${end}`
    expect(materialOf(reference)).toEqual({ uri, digest: { sha256 } })
  }
})

test('a provenance has the digest of a file that ADD downloaded without a checksum, also of a cached one', async () => {
  const server = createServer((_, response) => response.end('downloaded')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/f`
    const digest = { sha256: createHash('sha256').update('downloaded').digest('hex') }
    for (const _ of ['made', 'cached']) {
      const result = await build({ attestations: { provenance: {} } }, `FROM scratch\nADD ${url} /f\n`)
      const [{ predicate }] = (await statementsOf(result)) as [ImageStatement]
      expect(predicate).toMatchObject({
        buildDefinition: { resolvedDependencies: [{ uri: url, digest }, { uri: 'context' }] },
        runDetails: { metadata: { buildkit_completeness: { resolvedDependencies: true } } },
      })
    }
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('with mode max a provenance has arguments and labels, without secrets', async () => {
  const provenance = {
    mode: 'max',
    builderId: 'https://ci.test/builder',
    source: `https://me:${canary}@git.test/r.git`,
    target: 'app',
    buildArgs: { API_TOKEN: canary, X: `https://u:${canary}@h.test/`, PUBLIC_KEY: 'shown', EMPTY: undefined },
  } as const
  const { predicate, statements } = await builtWith(
    { provenance, sbom: true },
    { labels: { l: `https://u:${canary}@x.test` } },
  )
  expect(JSON.stringify(statements)).not.toContain(canary)
  expect(predicate).toMatchObject({
    buildDefinition: {
      externalParameters: {
        configSource: { uri: 'https://git.test/r.git' },
        request: {
          args: {
            target: 'app',
            'build-arg:API_TOKEN': 'xxxxx',
            'build-arg:X': 'https://xxxxx:xxxxx@h.test/',
            'build-arg:PUBLIC_KEY': 'shown',
            'build-arg:EMPTY': '',
            'label:l': 'https://xxxxx:xxxxx@x.test',
          },
        },
      },
    },
    runDetails: { builder: { id: 'https://ci.test/builder' } },
  })
})

test('equal builds at a given time have equal statements, at the time of SOURCE_DATE_EPOCH', async () => {
  const stages = (epoch: string) =>
    dockerfileStages('FROM scratch\nCOPY a /\n', { buildArgs: { SOURCE_DATE_EPOCH: epoch } })
  const made = async (epoch: string) =>
    buildFiles(store, stages(epoch), files, { attestations: { provenance: {}, sbom: true } })
  const first = await made('1700000000')
  await new Promise(resolve => setTimeout(resolve, 5))
  expect((await made('1700000000')).descriptor).toEqual(first.descriptor)
  const [, { predicate }] = (await statementsOf(first)) as [ImageStatement, { predicate: object }]
  const startedOn = '2023-11-14T22:13:20Z'
  expect(predicate).toMatchObject({ runDetails: { metadata: { startedOn, finishedOn: startedOn } } })
})

test('each platform has its own statements, and stages of code name their frontend', async () => {
  const result = await buildFiles(store, from('scratch').copy('a', '/'), files, {
    attestations: { provenance: {} },
    platforms: ['linux/amd64', 'linux/arm64'],
    indexAnnotations: { k: 'v' },
  })
  const { manifests, annotations } = await indexOf(result)
  expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64', 'unknown', 'unknown'])
  expect(annotations).toEqual({ k: 'v' })
  expect((await findAttestations(store, result.descriptor.digest)).map(({ subject }) => subject)).toEqual(
    result.images.map(({ descriptor }) => descriptor.digest),
  )
  expect(JSON.stringify((await statementsOf(result))[0])).toContain('layerstore.script')
})

test('an archive for docker has the image alone', async () => {
  const bytes: Uint8Array[] = []
  await buildFiles(store, from('scratch').copy('a', '/'), files, {
    attestations: { provenance: {} },
    names: ['app:1'],
    archive: { format: 'docker', path: async content => void bytes.push(await readAll(content)) },
  })
  expect(Buffer.concat(bytes).toString()).toContain('manifest.json')
})
