import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Image } from '../../lib/image/index.ts'
import { hostPlatform } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let image: Image
let server: Awaited<ReturnType<typeof serveStore>>
const { architecture } = hostPlatform()

beforeAll(async () => {
  directory = temporaryDirectory('cli-remote-images')
  remote = createMemoryStore()
  const layers = [{ 'etc/os': 'base', 'etc/motd': 'old' }, { 'etc/motd': 'new' }, { top: mixedBytes(300_000) }]
  image = await sampleImage(remote, layers, { name: 'app:1', architecture, config: { Cmd: ['sh'] } })
  server = await serveStore(remote)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})
const store = () => join(directory.path, 'store')
const run = async (...args: string[]) => {
  server.requests.length = 0
  return cli(args, { store: store() })
}
const blobsRead = () => server.requests.filter(request => request.includes('/blobs/'))

describe('an image in a registry', () => {
  const reference = () => `${server.host}/app:1`

  test('gives its digest for one HEAD request', async () => {
    expect(await run('digest', reference())).toEqual({ code: 0, stdout: `${image.descriptor.digest}\n`, stderr: '' })
    expect(server.requests).toEqual(['HEAD /v2/app/manifests/1'])
    const json = JSON.parse((await run('digest', `docker://${reference()}`, '--json')).stdout)
    expect(json).toEqual({ name: `docker://${reference()}`, ...image.descriptor })
  })

  test('is inspected by its manifest and config, which are printed byte for byte; no layer is read', async () => {
    const { stdout } = await run('inspect', reference(), '--json')
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'image', config: { config: { Cmd: ['sh'] } } })
    expect(blobsRead()).toHaveLength(1)
    const bytes = async (digest: string) => {
      const chunks = []
      for await (const chunk of remote.read(digest as never)) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    }
    expect((await run('manifest', reference())).stdout).toBe(await bytes(image.descriptor.digest))
    expect((await run('config', reference())).stdout).toBe(await bytes(image.manifest.config.digest))
    expect(blobsRead()).toHaveLength(1)
  })

  test('lists its files and prints one, and nothing is stored', async () => {
    const { stdout } = await run('files', reference(), '/', '-R', '--json')
    expect(JSON.parse(stdout).map(({ path }: { path: string }) => path)).toEqual(['etc', 'etc/motd', 'etc/os', 'top'])
    expect(blobsRead()).toHaveLength(4)
    expect((await run('cat', reference(), '/etc/motd')).stdout).toBe('new')
    expect((await run('cat', reference(), '/etc/os')).stdout).toBe('base')
    expect(existsSync(store())).toBe(false)
  })

  test('prints a file of its top layer without the layers below', async () => {
    let bytes = 0
    server.requests.length = 0
    const { code } = await cli(['cat', reference(), 'top'], {
      store: store(),
      onBytes: chunk => {
        bytes += chunk.length
      },
    })
    expect({ code, bytes }).toEqual({ code: 0, bytes: 300_000 })
    const top = image.layers.at(-1)!.descriptor.digest
    expect(new Set(blobsRead())).toEqual(
      new Set([`GET /v2/app/blobs/${image.manifest.config.digest}`, `GET /v2/app/blobs/${top}`]),
    )
  })

  test('with changed bytes is refused', async () => {
    const { descriptor } = image.layers[0]!
    const other = createMemoryStore()
    await using wrong = await serveStore({
      ...remote,
      references: remote.references,
      stat: (digest, options) => remote.stat(digest, options),
      read: (digest, options) =>
        digest === descriptor.digest ? other.read(digest, options) : remote.read(digest, options),
    } as Store)
    const { code, stdout } = await cli(['files', `${wrong.host}/app:1`], { store: store() })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  })
})

test('of an index in a registry the entries are listed, and the image for this machine or the chosen one is read', async () => {
  const other = architecture === 'amd64' ? 'arm64' : 'amd64'
  const index = await sampleIndex(remote, [architecture, other], 'multi:1')
  const reference = `${server.host}/multi:1`
  expect((await run('digest', reference)).stdout).toBe(`${index.digest}\n`)
  const found = JSON.parse((await run('inspect', reference, '--json')).stdout)
  expect(found).toMatchObject({ kind: 'index', config: { architecture }, entries: [{ present: false }, {}] })
  expect(server.requests.filter(request => request.startsWith('GET'))).toHaveLength(3)
  const chosen = (await run('digest', reference, '--platform', `linux/${other}`)).stdout.trim()
  expect(found.index.manifests[1].digest).toBe(chosen)
  expect(JSON.parse((await run('config', reference, '--platform', `linux/${other}`)).stdout).architecture).toBe(other)
})

describe('where a command looks for a name', () => {
  test('a name in the store precedes the registry of the same name; store: and docker:// choose', async () => {
    await using scratch = await serveStore(createMemoryStore())
    const name = `${scratch.host}/app:1`
    expect((await cli(['pull', `${server.host}/app:1`, '-t', name], { store: store() })).code).toBe(0)
    const digest = `${image.descriptor.digest}\n`
    expect((await run('digest', name)).stdout).toBe(digest)
    expect((await run('digest', `store:${name}`)).stdout).toBe(digest)
    expect((await run('digest', image.descriptor.digest)).stdout).toBe(digest)
    expect(await run('digest', `docker://${name}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/layerstore tags 127\.0\.0\.1:\d+\/app.*\(ERR_MANIFEST_NOT_FOUND\)\n$/),
    })
    expect(scratch.requests.length).toBeGreaterThan(0)
  })

  test('a layout and an archive are named as for copy', async () => {
    const at = (name: string) => join(directory.path, name)
    const from = `${server.host}/app:1`
    for (const to of [
      `oci:${at('layout')}:one`,
      `oci-archive:${at('one.tar')}:one`,
      `docker-archive:${at('two.tar')}:app:1`,
    ]) {
      expect((await run('copy', from, to)).code).toBe(0)
      const digest = (await run('digest', to)).stdout
      if (to.startsWith('oci')) expect(digest).toBe(`${image.descriptor.digest}\n`)
      expect((await run('cat', to, 'etc/motd')).stdout).toBe('new')
      expect((await run('inspect', to)).stdout).toMatch(/^Command +\["sh"\]$/m)
    }
  })

  test('a name without a registry that the store lacks is an error that says how to name an image elsewhere', async () => {
    for (const command of ['inspect', 'manifest', 'config', 'digest', 'files']) {
      const { code, stderr } = await run(command, 'nobody:1')
      expect(code).toBe(1)
      expect(stderr).toContain(`no image named nobody:1 in the store ${store()}`)
      expect(stderr).toContain('docker://nobody:1')
      expect(stderr).toContain('(ERR_REFERENCE_NOT_FOUND)')
    }
    expect(server.requests).toEqual([])
    expect((await run('inspect', 'Bad Name')).stderr).toContain('(ERR_INVALID_REFERENCE)')
  })

  test('commands that read create no store', async () => {
    mkdirSync(join(directory.path, 'empty'))
    for (const name of ['empty', 'absent']) {
      const path = join(directory.path, name)
      expect((await cli(['inspect', 'app:1'], { store: path })).code).toBe(1)
      expect(existsSync(path) ? readdirSync(path) : []).toEqual([])
    }
    writeFileSync(join(directory.path, 'file'), '')
    expect((await cli(['inspect', 'app:1'], { store: join(directory.path, 'file') })).stderr).toContain('file')
  })
})
