import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage, readImage } from '../../lib/image/index.ts'
import { fromDirectory, writeLayer } from '../../lib/layer/index.ts'
import { type Descriptor, parsePlatform } from '../../lib/oci/index.ts'
import { createRegistryClient, type RegistryClient } from '../../lib/registry/index.ts'
import { readDocument, type Store } from '../../lib/store/index.ts'
import { planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { startDockerRegistry } from '../helpers/start-docker-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const tools = ['docker-registry', 'skopeo', 'umoci'].map(needsProgram).every(Boolean)
const platform = parsePlatform('linux/amd64')
const plain = ['--tls-verify=false']

let directory: ReturnType<typeof temporaryDirectory>
let docker: Awaited<ReturnType<typeof startDockerRegistry>>
let registry: RegistryClient
let store: Store
let storePath: string

const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' })
const skopeoCopy = (...args: string[]) => run('skopeo', '--insecure-policy', 'copy', '-q', ...args)
const rawManifest = (ref: string) => run('skopeo', 'inspect', '--raw', ...plain, `docker://${ref}`)
const sha256 = (text: string) => digestOf(Buffer.from(text))

/** Makes an OCI layout with umoci: an image of two layers, whose manifest has no `mediaType`. */
function umociLayout(path: string): void {
  const bundle = join(directory.path, `bundle-${Math.random()}`)
  run('umoci', 'init', '--layout', path)
  run('umoci', 'new', '--image', `${path}:v1`)
  for (const text of ['first', 'second']) {
    const tree = join(directory.path, `tree-${text}`)
    mkdirSync(tree, { recursive: true })
    writeFileSync(join(tree, `${text}.txt`), text.repeat(10_000))
    run('umoci', 'insert', '--rootless', '--image', `${path}:v1`, tree, `/${text}`)
  }
  run('umoci', 'config', '--image', `${path}:v1`, '--config.cmd', '/bin/true', '--architecture', 'amd64')
  mkdirSync(bundle, { recursive: true })
}

/** Builds an image of ours with every kind of entry, stored as `app:1`. */
async function ourImage(): Promise<Descriptor> {
  const tree = join(directory.path, 'tree')
  mkdirSync(join(tree, 'bin'), { recursive: true })
  writeFileSync(join(tree, 'bin/tool'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  writeFileSync(join(tree, `${'long-'.repeat(30)}name.txt`), 'long')
  writeFileSync(join(tree, 'grün.txt'), 'utf-8')
  symlinkSync('bin/tool', join(tree, 'link'))
  const layer = await writeLayer(store, fromDirectory(tree, { at: '/opt' }))
  const image = await composeImage(store, { layers: [layer], platform, config: { Cmd: ['/opt/bin/tool'] } })
  await store.references.set('app:1', image.descriptor)
  return image.descriptor
}

describe.runIf(tools)('with docker-registry, skopeo and umoci', () => {
  beforeAll(async () => {
    docker = await startDockerRegistry()
  })
  afterAll(() => docker.stop())
  beforeEach(async () => {
    directory = temporaryDirectory('interop')
    storePath = join(directory.path, 'store')
    store = await openStore(storePath)
    registry = createRegistryClient()
  })
  afterEach(async () => {
    await registry.close()
    await store.close()
    directory[Symbol.dispose]()
  })
  const push = async (name: string, ref: string) =>
    runPush(await planPush(store, registry, name, `${docker.host}/${ref}`))
  const pull = async (ref: string, options = {}) =>
    runPull(await planPull(registry, store, `${docker.host}/${ref}`, { name: ref, ...options }))

  test('skopeo inspects and copies our image, and umoci unpacks it', async () => {
    const { digest } = await ourImage()
    await push('app:1', 'ours:1')
    const inspected = JSON.parse(run('skopeo', 'inspect', ...plain, `docker://${docker.host}/ours:1`))
    expect(inspected).toMatchObject({ Digest: digest, Os: 'linux', Architecture: 'amd64' })

    const layout = join(directory.path, 'copied')
    skopeoCopy('--src-tls-verify=false', `docker://${docker.host}/ours:1`, `oci:${layout}:v1`)
    const bundle = join(directory.path, 'bundle')
    run('umoci', 'unpack', '--rootless', '--image', `${layout}:v1`, bundle)
    expect(readFileSync(join(bundle, 'rootfs/opt/bin/tool'), 'utf8')).toContain('exit 0')
    expect(readFileSync(join(bundle, 'rootfs/opt/link'), 'utf8')).toContain('exit 0')
    expect(readFileSync(join(bundle, `rootfs/opt/${'long-'.repeat(30)}name.txt`), 'utf8')).toBe('long')
    expect(readFileSync(join(bundle, 'rootfs/opt/grün.txt'), 'utf8')).toBe('utf-8')
  })

  test('an image of umoci, pushed by skopeo without mediaType, keeps every digest when we pull it', async () => {
    const layout = join(directory.path, 'umoci')
    umociLayout(layout)
    skopeoCopy('--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${docker.host}/umoci:v1`)
    const raw = rawManifest(`${docker.host}/umoci:v1`)
    expect(JSON.parse(raw)).not.toHaveProperty('mediaType')
    const result = await pull('umoci:v1')
    expect(result.digest).toBe(await sha256(raw))
    const image = await readImage(store, 'umoci:v1', { platform })
    expect(image.manifest).toEqual(JSON.parse(raw))
    expect(Buffer.from(await readDocument(store, image.descriptor)).toString()).toBe(raw)
  })

  test('a Docker v2s2 image, pushed by skopeo, keeps every digest when we pull it and push it on', async () => {
    const layout = join(directory.path, 'umoci')
    umociLayout(layout)
    const target = `docker://${docker.host}/docker:v1`
    skopeoCopy('--format', 'v2s2', '--dest-tls-verify=false', `oci:${layout}:v1`, target)
    const raw = rawManifest(`${docker.host}/docker:v1`)
    expect(JSON.parse(raw).mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
    expect((await pull('docker:v1')).digest).toBe(await sha256(raw))
    await push('docker:v1', 'docker-again:v1')
    expect(rawManifest(`${docker.host}/docker-again:v1`)).toBe(raw)
  })

  test('an index, pushed by skopeo, keeps every digest when we pull all of it, and one platform on request', async () => {
    const first = await ourImage()
    const layer = await writeLayer(store, [{ path: 'arm.txt', type: 'file', content: 'arm' }])
    const second = await composeImage(store, { layers: [layer], platform: { os: 'linux', architecture: 'arm64' } })
    const manifests = [
      { ...first, platform },
      { ...second.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
    ]
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
    await store.references.set('multi:1', { mediaType, ...(await store.put(index)) })
    const target = `docker://${docker.host}/multi:1`
    skopeoCopy('--multi-arch', 'all', '--dest-tls-verify=false', `oci:${storePath}:multi:1`, target)
    const raw = rawManifest(`${docker.host}/multi:1`)

    await using empty = await openStore(join(directory.path, 'empty'))
    const all = await planPull(registry, empty, `${docker.host}/multi:1`, { allPlatforms: true, name: 'multi:1' })
    expect((await runPull(all)).digest).toBe(await sha256(raw))
    const one = await planPull(registry, empty, `${docker.host}/multi:1`, { platform: 'linux/arm64', name: 'arm:1' })
    expect(one).toMatchObject({ bytesToFetch: 0, platformsLeftOut: ['linux/amd64'] })
    expect((await runPull(one)).digest).toBe(second.descriptor.digest)
  })

  test('our store directory is an OCI layout to skopeo, while we use it and after', async () => {
    const { digest } = await ourImage()
    const inspect = () => JSON.parse(run('skopeo', 'inspect', `oci:${storePath}:app:1`))
    expect(inspect().Digest).toBe(digest)
    skopeoCopy(`oci:${storePath}:app:1`, `oci:${storePath}:copied-by-skopeo`)
    expect(await store.references.get('copied-by-skopeo')).toMatchObject({ digest })
    await store.references.set('app:2', (await store.references.get('app:1'))!)
    await store.close()
    expect(inspect().Digest).toBe(digest)
    expect(JSON.parse(run('skopeo', 'inspect', `oci:${storePath}:app:2`)).Digest).toBe(digest)
    const names = run('umoci', 'ls', '--layout', storePath).trim().split('\n')
    expect(names.sort()).toEqual(['app:1', 'app:2', 'copied-by-skopeo'])
  })

  test('a second push and pull transfer no blob', async () => {
    await ourImage()
    await push('app:1', 'warm:1')
    expect((await planPush(store, registry, 'app:1', `${docker.host}/warm:1`)).bytesToUpload).toBe(0)
    expect((await planPull(registry, store, `${docker.host}/warm:1`)).bytesToFetch).toBe(0)
  })

  test('a blob is mounted from another repository of the same registry', async () => {
    await ourImage()
    await push('app:1', 'mount-source:1')
    const target = `${docker.host}/mount-target:1`
    const plan = await planPush(store, registry, 'app:1', target, { mountFrom: ['mount-source'] })
    expect(plan.steps.filter(step => step.need === 'mount')).toHaveLength(2)
    expect(await runPush(plan)).toMatchObject({ blobsMounted: 2, blobsUploaded: 1 })
    expect(JSON.parse(rawManifest(target)).layers).toHaveLength(1)
  })
})
