import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>

beforeEach(async () => {
  directory = temporaryDirectory('cli')
  store = join(directory.path, 'store')
  remote = createMemoryStore()
  server = await serveStore(remote)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})
const run = (...args: string[]) => cli(args, { store })

describe('pull', () => {
  test('prints the digest and nothing else on stdout, and what happened on stderr', async () => {
    const image = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const { code, stdout, stderr } = await run('pull', `${server.host}/app:1`)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${image.descriptor.digest}\n` })
    expect(stderr).toContain(': done (')
    expect(stderr).toContain(`${server.host}/app:1: `)
  })

  test('names an encrypted layer, with and without --verify-diff-ids, and comes to its end', async () => {
    const { manifest, layers } = await sampleImage(remote, [{ a: 'a' }])
    const layer = { ...layers[0]!.descriptor, mediaType: `${MediaType.OciLayerGzip}+encrypted` }
    const info = await remote.put(canonicalJson({ ...manifest, layers: [layer] }))
    await remote.references.set('secret:1', { mediaType: MediaType.OciManifest, ...info })
    for (const options of [[], ['--verify-diff-ids']]) {
      const { code, stderr } = await run('pull', `${server.host}/secret:1`, ...options)
      expect(code).toBe(0)
      expect(stderr.split('\n').filter(line => line.includes(layer.digest) && line.includes('encrypted'))).toHaveLength(
        1,
      )
    }
  })

  test('with --quiet says nothing on stderr, with --json gives one document', async () => {
    const image = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    expect((await run('pull', `${server.host}/app:1`, '--quiet')).stderr).toBe('')
    const { stdout, stderr } = await run('--json', 'pull', `${server.host}/app:1`, '--tag', 'mine')
    expect(JSON.parse(stdout)).toMatchObject({ name: 'mine:latest', digest: image.descriptor.digest, blobsFetched: 0 })
    expect(stderr).toBe('')
  })

  test('with --plan shows what would move and moves nothing', async () => {
    await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
    const args = ['pull', `${server.host}/multi:1`, '--plan', '--platform', 'linux/arm64']
    const { stdout } = await run(...args)
    expect(stdout).toMatch(
      /^KIND +DIGEST +SIZE +NEED +WHY\nCONFIG +sha256:[0-9a-f]{12} +\d+B +fetch +not in the store\n/,
    )
    expect(stdout).toContain('platforms: linux/arm64; left out: linux/amd64')
    expect(JSON.parse((await run(...args, '--json')).stdout)).toMatchObject({
      kind: 'pull',
      platforms: ['linux/arm64'],
    })
    expect(JSON.parse((await run('df', '--json')).stdout)).toMatchObject({ error: { code: 'ERR_STORE_NOT_FOUND' } })
  })

  test('on a terminal draws bars and erases them', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const { stderr } = await cli(['pull', `${server.host}/app:1`], { store, tty: true })
    expect(stderr).toMatch(/\[[= ]+\] +\d+B\/\d+B/)
    expect(stderr).toContain('\u001b[0J')
  })

  test('takes every platform with --all-platforms, and not together with --platform', async () => {
    const index = await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
    expect((await run('pull', `${server.host}/multi:1`, '--all-platforms')).stdout).toBe(`${index.digest}\n`)
    const both = await run('pull', `${server.host}/multi:1`, '--all-platforms', '--platform', 'amd64')
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('(ERR_USAGE)') })
  })
})

describe('append, push and the rest', () => {
  test('an image is assembled from directories, pushed, and looked at', async () => {
    const app = join(directory.path, 'app')
    mkdirSync(app)
    writeFileSync(join(app, 'server.js'), 'console.log(1)')
    const appended = await run(
      ...['append', 'scratch', '--dir', `${app}:/srv/app`, '--cmd', '["node","/srv/app/server.js"]', '-t', 'app:1.0'],
      ...[
        '--env',
        'A=1',
        '--env',
        'B=x=y',
        '--label',
        'l=v',
        '--workdir',
        '/srv',
        '--user',
        '1000',
        '--entrypoint',
        '["tini"]',
      ],
    )
    expect(appended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
    const digest = appended.stdout.trim()

    expect((await run('push', 'app:1.0', `${server.host}/app:1.0`)).stdout).toBe(`${digest}\n`)
    expect((await remote.references.get('app:1.0'))?.digest).toBe(digest)
    expect((await run('push', 'app:1.0', `${server.host}/app:1.0`, '--plan')).stdout).toContain('0B to upload')

    const inspected = JSON.parse((await run('inspect', 'app:1.0', '--platform', 'amd64', '--json')).stdout)
    expect(inspected.config.config).toEqual({
      Cmd: ['node', '/srv/app/server.js'],
      Entrypoint: ['tini'],
      Env: ['A=1', 'B=x=y'],
      Labels: { l: 'v' },
      WorkingDir: '/srv',
      User: '1000',
    })
    const text = (await run('inspect', 'app:1.0', '--platform', 'amd64')).stdout
    expect(text).toContain(`Digest       ${digest}`)
    expect(text).toContain('Command      ["node","/srv/app/server.js"]')
    const opened = await openStore(store)
    const manifest = (await run('manifest', 'app:1.0')).stdout
    expect(JSON.parse(manifest).layers).toHaveLength(1)
    expect(JSON.parse((await run('manifest', 'app:1.0', '--platform', 'amd64')).stdout)).toEqual(JSON.parse(manifest))
    expect(JSON.parse((await run('config', 'app:1.0', '--platform', 'amd64')).stdout)).toEqual(inspected.config)
    await opened.close()
  })

  test('a base is taken from the store; of one that the store does not have, no layer is fetched without --pull', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'base:1', config: { Cmd: ['sh'] } })
    const app = join(directory.path, 'app')
    mkdirSync(app)
    writeFileSync(join(app, 'f'), 'f')
    const base = `${server.host}/base:1`
    const first = await run('append', base, '--dir', app, '-t', 'top:1', '--platform', 'amd64')
    expect(first.stderr).toContain('its layers stay in the registry')
    expect(await run('save', 'top:1', '-o', join(directory.path, 'top.tar'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`it was left in ${server.host}/base; pull it from there first`),
    })
    const pulled = await run('append', base, '--dir', app, '-t', 'top:1', '--platform', 'amd64', '--pull')
    expect(pulled).toMatchObject({ code: 0, stdout: first.stdout })
    expect((await run('save', 'top:1', '-o', join(directory.path, 'top.tar'))).code).toBe(0)
    const second = await run(
      'append',
      base,
      '--dir',
      app,
      '-t',
      'top:2',
      '--platform',
      'amd64',
      '--compression',
      'none',
    )
    expect(second.stderr).not.toContain('stay in the registry')
    const layers = (out: string) => JSON.parse(out).layers as { descriptor: { mediaType: string } }[]
    expect(layers((await run('inspect', 'top:2', '--json', '--platform', 'amd64')).stdout)).toHaveLength(2)
  })

  test('names are listed, given and taken away', async () => {
    const app = join(directory.path, 'app')
    mkdirSync(app)
    await run('append', 'scratch', '--dir', app, '-t', 'app')
    expect((await run('tag', 'app', 'other:2')).stdout).toBe('other:2\n')
    expect((await run('ls')).stdout).toMatch(
      /^NAME +DIGEST +PLATFORM +SIZE\napp:latest +sha256:\w{12} +linux\/amd64 +\d+B\nother:2 /,
    )
    expect(await run('rm', 'app', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_REFERENCE_NOT_FOUND'),
    })
    expect((await run('rm', 'app', 'other:2')).code).toBe(0)
    expect((await run('images', '--json')).stdout).toBe('[]\n')
  })

  test('an index is listed with its platforms', async () => {
    await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
    await run('pull', `${server.host}/multi:1`, '--all-platforms', '--tag', 'multi:1')
    expect((await run('images')).stdout).toContain('linux/amd64, linux/arm64')
  })

  test('serve offers the store until it is stopped', async () => {
    const opened = await openStore(store)
    const image = await sampleImage(opened, [{ a: 'a' }], { name: 'app:1' })
    await opened.close()
    const stop = new AbortController()
    let fetched: string | null = null
    const served = cli(['serve', '--listen', '127.0.0.1:0', '--read-only'], {
      store,
      signal: stop.signal,
      onStdout: text => {
        const url = /listening on (\S+)\n/.exec(text)?.[1]
        if (url) {
          void fetch(`${url}/v2/app/manifests/1`, { method: 'HEAD' }).then(answer => {
            fetched = answer.headers.get('docker-content-digest')
            stop.abort()
          })
        }
      },
    })
    expect((await served).code).toBe(0)
    expect(fetched).toBe(image.descriptor.digest)
  })
})

describe('errors', () => {
  test.each([
    ['df'],
    ['gc'],
    ['inspect', 'app:1'],
    ['files', 'app:1'],
    ['manifest', 'app:1'],
    ['config', 'app:1'],
    ['tag', 'app:1', 'app:2'],
    ['rm', 'app:1'],
    ['push', 'app:1', 'localhost:1/app:1'],
    ['unpack', 'app:1', 'out'],
    ['save', 'app:1', '-o', 'out.tar'],
    ['fsck'],
    ['copy', 'store:app:1', 'localhost:1/app:1'],
  ])('%s names the directory of a store that does not exist, and does not create it', async (...args) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(store)
    expect(stderr).toMatch(/\(ERR_(STORE|REFERENCE)_NOT_FOUND\)/)
    expect(existsSync(store)).toBe(false)
  })

  test.each([
    [['pull', 'Bad Ref'], 1, 'ERR_INVALID_REFERENCE'],
    [['pull', '127.0.0.1:1/app:1'], 1, 'ERR_NETWORK'],
    [['inspect', 'nobody'], 1, 'ERR_REFERENCE_NOT_FOUND'],
    [['df'], 1, 'ERR_STORE_NOT_FOUND'],
    [['pull', 'x', '--platform', '!'], 1, 'ERR_INVALID_PLATFORM'],
    [['nonsense'], 2, 'ERR_USAGE'],
    [['pull'], 2, 'ERR_USAGE'],
    [['pull', 'a', '--nonsense'], 2, 'ERR_USAGE'],
    [[], 2, 'ERR_USAGE'],
    [['images', '--hasher', 'abacus'], 2, 'ERR_USAGE'],
    [['pull', 'x', '-j', '0'], 2, 'ERR_USAGE'],
    [['append', 'scratch'], 2, 'ERR_USAGE'],
    [['append', 'scratch', '-t', 'x', '--cmd', 'sh'], 2, 'ERR_USAGE'],
    [['append', 'scratch', '-t', 'x', '--cmd', '{}'], 2, 'ERR_USAGE'],
    [['append', 'scratch', '-t', 'x', '--env', 'A'], 2, 'ERR_USAGE'],
    [['append', 'scratch', '-t', 'x', '--dir', '.', '--compression', 'rar'], 2, 'ERR_USAGE'],
    [['append', 'scratch', '-t', 'NOT A NAME'], 1, 'ERR_INVALID_REFERENCE'],
    [['serve', '--listen', 'nowhere'], 2, 'ERR_USAGE'],
  ] as const)('%j ends with exit code %i and %s, as one line and as JSON', async (args, exit, code) => {
    const plain = await run(...args)
    expect(plain.code).toBe(exit)
    expect(plain.stdout).toBe('')
    expect(plain.stderr).toMatch(new RegExp(`^layerstore: [^\\n]+ \\(${code}\\)\\n$`))
    const json = await run(...args, '--json')
    expect(json.code).toBe(exit)
    expect(JSON.parse(json.stdout)).toEqual({ error: { code, message: expect.any(String) } })
    expect(json.stderr).toBe('')
  })

  test('help and version end well', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, stdout: '9.9.9\n' })
    const help = await run('pull', '--help')
    expect(help.code).toBe(0)
    expect(help.stdout).toContain('--all-platforms')
  })

  test('an interrupted command says so, with exit code 130', async () => {
    const stop = new AbortController()
    stop.abort(new Error('SIGINT'))
    expect(await cli(['pull', `${server.host}/app:1`], { store, signal: stop.signal })).toMatchObject({
      code: 130,
      stderr: 'layerstore: stopped (ERR_ABORTED)\n',
    })
  })
})
