import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createRegistryServer, type RegistryServer } from '../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { containers } from '../helpers/containers.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const run = promisify(execFile)
const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', ...args], { timeout: 240_000 })

/** Makes an OCI layout with umoci: image `v1` of two layers. */
function makeLayout(at: string): string {
  const layout = join(at, 'layout')
  const umoci = (...args: string[]) => execFileSync('umoci', args, { stdio: 'pipe' })
  umoci('init', '--layout', layout)
  umoci('new', '--image', `${layout}:v1`)
  for (const [name, size] of [
    ['small', 10],
    ['large', 3_000_000],
  ] as const) {
    const tree = join(at, name)
    mkdirSync(tree)
    writeFileSync(join(tree, 'file'), Buffer.alloc(size, name))
    const tar = join(at, `${name}.tar`)
    execFileSync('tar', ['-cf', tar, '-C', tree, '.'])
    umoci('raw', 'add-layer', '--image', `${layout}:v1`, tar)
  }
  return layout
}

const manifestDigest = (layout: string) =>
  JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests[0].digest as string

describe.runIf(needsProgram('skopeo') && needsProgram('umoci'))('skopeo', () => {
  let directory: ReturnType<typeof temporaryDirectory>
  let layout: string
  let host: string
  let store: Store
  let server: RegistryServer

  beforeAll(async () => {
    directory = temporaryDirectory('skopeo')
    layout = makeLayout(directory.path)
    store = await openStore(join(directory.path, 'store'))
    server = createRegistryServer(store)
    host = (await server.listen()).url.replace('http://', '')
  })
  afterAll(async () => {
    await server.close()
    await store.close()
    directory[Symbol.dispose]()
  })

  test('pushes an image, and the store has its name and all blobs', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${host}/some/app:v1`)
    const descriptor = await store.references.get('some/app:v1')
    expect(descriptor?.digest).toBe(manifestDigest(layout))
  })

  test('inspects an image and lists its tags', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${host}/some/app:v2`)
    const inspected = JSON.parse((await skopeo('inspect', '--tls-verify=false', `docker://${host}/some/app:v2`)).stdout)
    expect(inspected).toMatchObject({ Digest: manifestDigest(layout), Name: `${host}/some/app` })
    expect(inspected.RepoTags).toContain('v2')
    expect(inspected.Layers).toHaveLength(2)
    const listed = JSON.parse((await skopeo('list-tags', '--tls-verify=false', `docker://${host}/some/app`)).stdout)
    expect(listed.Tags).toContain('v2')
  })

  test('pulls an image byte for byte, by tag and by digest', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${host}/back:v1`)
    for (const [i, source] of [`back:v1`, `back@${manifestDigest(layout)}`].entries()) {
      const copy = join(directory.path, `copy${i}`)
      await skopeo('copy', '--src-tls-verify=false', `docker://${host}/${source}`, `oci:${copy}:v1`)
      expect(manifestDigest(copy)).toBe(manifestDigest(layout))
    }
  })

  test('pushes in the Docker format, and mounts the blobs in a second repository', async () => {
    const format = ['--format', 'v2s2', '--dest-tls-verify=false']
    await skopeo('copy', ...format, `oci:${layout}:v1`, `docker://${host}/docker/app:v1`)
    expect((await store.references.get('docker/app:v1'))?.mediaType).toBe(
      'application/vnd.docker.distribution.manifest.v2+json',
    )
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', ...tls, `docker://${host}/docker/app:v1`, `docker://${host}/docker/other:v1`)
    expect((await store.references.get('docker/other:v1'))?.digest).toBe(
      (await store.references.get('docker/app:v1'))?.digest,
    )
  })

  test('deletes an image', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${host}/gone:v1`)
    await skopeo('delete', '--tls-verify=false', `docker://${host}/gone:v1`)
    expect(await store.references.get('gone:v1')).toBeUndefined()
    await expect(skopeo('inspect', '--tls-verify=false', `docker://${host}/gone:v1`)).rejects.toThrow(
      /manifest unknown/i,
    )
  })

  test('copies between two of our servers, one of them in memory', async () => {
    const memory = createMemoryStore()
    await using other = createRegistryServer(memory)
    const { url } = await other.listen()
    await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${host}/two:v1`)
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', ...tls, `docker://${host}/two:v1`, `docker://${url.replace('http://', '')}/two:v1`)
    expect((await memory.references.get('two:v1'))?.digest).toBe(manifestDigest(layout))
  })
})

describe.runIf(needsProgram('buildah'))('buildah', () => {
  test('pushes an image and pulls it again', async () => {
    using directory = temporaryDirectory('buildah')
    const store = createMemoryStore()
    await using server = createRegistryServer(store)
    const host = (await server.listen()).url.replace('http://', '')
    using tool = containers('buildah')
    const buildah = tool.run
    writeFileSync(join(directory.path, 'hello.txt'), 'hello')
    const container = await buildah('from', 'scratch')
    await buildah('copy', container, join(directory.path, 'hello.txt'), '/hello.txt')
    await buildah('commit', container, 'made')
    await buildah('push', '--tls-verify=false', 'made', `docker://${host}/built/app:1`)
    expect(await store.references.get('built/app:1')).toBeDefined()
    await buildah('rmi', '--all', '--force')
    expect(await buildah('pull', '--tls-verify=false', `${host}/built/app:1`)).toMatch(/[0-9a-f]{64}$/)
  })
})
