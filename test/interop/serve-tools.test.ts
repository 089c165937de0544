import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { fromDirectory, writeLayer } from '../../lib/layer/index.ts'
import { MediaType, parseManifest } from '../../lib/oci/index.ts'
import { allowHtpasswd, allowUsers, createRegistryServer, type RegistryServer } from '../../lib/server/index.ts'
import { createMemoryStore, readDocument, type Store } from '../../lib/store/index.ts'
import { type Containers, containers } from '../helpers/containers.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { startDockerRegistry } from '../helpers/start-docker-registry.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const run = promisify(execFile)

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let server: RegistryServer
let host: string

/** Server with a small image; user ann has a password. */
beforeAll(async () => {
  directory = temporaryDirectory('serve-tools')
  store = createMemoryStore()
  const tree = join(directory.path, 'tree')
  mkdirSync(tree)
  writeFileSync(join(tree, 'hello.txt'), 'hello')
  const layer = await writeLayer(store, fromDirectory(tree), { compression: 'gzip' })
  const image = await composeImage(store, { layers: [layer], config: { Cmd: ['/hello.txt'] } })
  await store.references.set('some/app:1', image.descriptor)
  const { config, layers } = parseManifest(await readDocument(store, image.descriptor))
  const docker = await putStoreDocument(store, MediaType.DockerManifest, {
    schemaVersion: 2,
    mediaType: MediaType.DockerManifest,
    config: { ...config, mediaType: MediaType.DockerConfig },
    layers: layers.map(layer => ({ ...layer, mediaType: MediaType.DockerLayerGzip })),
  })
  await store.references.set('docker/app:1', docker)
  server = createRegistryServer(store, { authorize: allowUsers({ ann: 'hunter2' }) })
  host = (await server.listen()).url.replace('http://', '')
})
afterAll(async () => {
  await server.close()
  await store.close()
  directory[Symbol.dispose]()
})

const authFile = () => {
  const path = join(directory.path, 'auth.json')
  const auth = Buffer.from('ann:hunter2').toString('base64')
  writeFileSync(path, JSON.stringify({ auths: { [host]: { auth } } }))
  return path
}

describe.runIf(needsProgram('podman'))('podman', () => {
  let tool: Containers
  beforeAll(() => {
    tool = containers('podman')
  })
  afterAll(() => tool[Symbol.dispose]())
  const podman = (...args: string[]) => tool.run(...args)

  test('logs in with the right password only', async () => {
    const login = (password: string, file: string) =>
      podman('login', '--tls-verify=false', '--authfile', join(directory.path, file), '-u', 'ann', '-p', password, host)
    expect(await login('hunter2', 'right.json')).toContain('Login Succeeded')
    await expect(login('wrong', 'wrong.json')).rejects.toThrow(/invalid username\/password|unauthorized/i)
  })

  test('pulls, inspects and pushes an image under another name', async () => {
    const options = ['--tls-verify=false', '--authfile', authFile()]
    await podman('pull', '-q', ...options, `${host}/some/app:1`)
    const [inspected] = JSON.parse(await podman('image', 'inspect', `${host}/some/app:1`))
    expect(inspected.Digest).toBe((await store.references.get('some/app:1'))!.digest)
    expect(inspected.Config.Cmd).toEqual(['/hello.txt'])
    await podman('push', '-q', ...options, `${host}/some/app:1`, `docker://${host}/pushed/app:2`)
    expect(await store.references.get('pushed/app:2')).toBeDefined()
    await expect(
      podman('pull', '-q', '--tls-verify=false', '--authfile', '/dev/null', `${host}/some/app:1`),
    ).rejects.toThrow()
  })

  test('pushes a manifest list of two platforms', async () => {
    const options = ['--tls-verify=false', '--authfile', authFile()]
    await podman('manifest', 'create', 'list')
    for (const arch of ['amd64', 'arm64']) {
      await podman('manifest', 'add', ...options, '--arch', arch, 'list', `docker://${host}/some/app:1`)
    }
    await podman('manifest', 'push', '-q', ...options, '--all', 'list', `docker://${host}/pushed/list:1`)
    const descriptor = await store.references.get('pushed/list:1')
    expect(descriptor?.mediaType).toMatch(/index|manifest\.list/)
  })
})

describe.runIf(needsProgram('docker'))('docker manifest inspect', () => {
  const inspect = (...args: string[]) => {
    const config = join(directory.path, 'docker')
    mkdirSync(config, { recursive: true })
    const auth = Buffer.from('ann:hunter2').toString('base64')
    writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
    return run('docker', ['--config', config, 'manifest', 'inspect', '--insecure', ...args], { timeout: 240_000 })
  }

  // Docker 20.10 does not read OCI manifests.
  test('shows an image, and its digest with --verbose', async () => {
    const descriptor = (await store.references.get('docker/app:1'))!
    const { stdout } = await inspect('--verbose', `${host}/docker/app:1`)
    expect(JSON.parse(stdout)).toMatchObject({
      Ref: `${host}/docker/app:1`,
      Descriptor: { digest: descriptor.digest, mediaType: descriptor.mediaType, size: descriptor.size },
    })
  })

  test('reports a missing image', async () => {
    await expect(inspect(`${host}/some/app:2`)).rejects.toThrow(/no such manifest/i)
  })
})

describe.runIf(needsProgram('skopeo'))('skopeo, logged in', () => {
  test('pushes, pulls, lists tags and deletes', async () => {
    const auth = ['--authfile', authFile()]
    const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', ...args], { timeout: 240_000 })
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', ...auth, ...tls, `docker://${host}/some/app:1`, `docker://${host}/copied/app:1`)
    const { stdout } = await skopeo('list-tags', ...auth, '--tls-verify=false', `docker://${host}/copied/app`)
    expect(JSON.parse(stdout).Tags).toEqual(['1'])
    await skopeo('delete', ...auth, '--tls-verify=false', `docker://${host}/copied/app:1`)
    await expect(skopeo('inspect', '--tls-verify=false', '--no-creds', `docker://${host}/some/app:1`)).rejects.toThrow(
      /unauthorized|authentication required/i,
    )
  })
})

describe.runIf(needsProgram('htpasswd'))('htpasswd', () => {
  test('writes a file that the server accepts', async () => {
    const file = execFileSync('htpasswd', ['-Bbn', '-C', '6', 'bob', 'pass:word']).toString()
    const authorize = allowHtpasswd(file)
    const ask = (password: string) => authorize({ action: 'pull', repository: undefined, username: 'bob', password })
    expect([await ask('pass:word'), await ask('password'), await ask('pass:word')]).toEqual([true, false, true])
  })
})

describe.runIf(needsProgram('docker-registry') && needsProgram('skopeo'))('a mirror of docker-registry', () => {
  test('serves images to skopeo, also while docker-registry is down', async () => {
    const origin = await startDockerRegistry()
    const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', ...args], { timeout: 240_000 })
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo(
      'copy',
      '--authfile',
      authFile(),
      ...tls,
      `docker://${host}/some/app:1`,
      `docker://${origin.host}/a/b:1`,
    )
    await using client = registryClientFor()
    await using cache = createMemoryStore()
    await using mirror = createRegistryServer(cache, { upstream: { registry: origin.host, client, tagMaxAgeMs: 0 } })
    const at = (await mirror.listen()).url.replace('http://', '')
    const fetchTo = (name: string) =>
      skopeo('copy', '--src-tls-verify=false', `docker://${at}/a/b:1`, `oci:${join(directory.path, name)}:1`)
    await fetchTo('first')
    await origin.stop()
    await fetchTo('second')
    expect((await cache.references.get(`${origin.host}/a/b:1`))?.digest).toBe(
      (await store.references.get('some/app:1'))!.digest,
    )
  })
})
