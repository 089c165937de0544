import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let registry: FaultyRegistry

beforeEach(async () => {
  directory = temporaryDirectory('cli-copy')
  remote = createMemoryStore()
  registry = await createFaultyRegistry({ store: remote })
})
afterEach(async () => {
  await registry.close()
  directory[Symbol.dispose]()
})
const run = (...args: string[]) => cli(args, { store: join(directory.path, 'store') })
const layout = (name = 'layout') => join(directory.path, name)

describe('copy', () => {
  test('goes from registry to layout to store to registry, and nothing changes on the way', async () => {
    const { digest } = await sampleIndex(remote, ['amd64', 'arm64'], 'app:1')
    const steps = [
      [`docker://${registry.host}/app:1`, `oci:${layout()}:1.0`],
      [`oci:${layout()}:1.0`, 'store:app:1'],
      ['store:app:1', `oci:${layout('second')}`],
      [`oci:${layout('second')}`, `${registry.host}/again:1`],
      [`${registry.host}/again:1`, `${registry.host}/third:1`],
    ]
    for (const [from, to] of steps) {
      expect(await run('copy', from!, to!)).toMatchObject({ code: 0, stdout: `${digest}\n` })
    }
    expect((await remote.references.get('third:1'))?.digest).toBe(digest)
    await using store = await openStore(layout(), { readOnly: true })
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
    // The layout keeps the tag unchanged: skopeo looks up exactly this name (`oci:DIR:TAG`).
    const names: string[] = []
    for await (const { name } of store.references.list()) names.push(name)
    expect(names).toEqual(['1.0'])
  })

  test('goes in and out of archives, which show up whole or not at all', async () => {
    const { descriptor } = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const file = (name: string) => join(directory.path, name)
    const steps = [
      [`${registry.host}/app:1`, `oci-archive:${file('one.tar')}:1.0`],
      [`oci-archive:${file('one.tar')}:1.0`, `docker-archive:${file('two.tar')}:other:2`],
      [`docker-archive:${file('two.tar')}`, 'store:back:1'],
      ['store:back:1', `oci-archive:${file('three.tar')}`],
      [`oci-archive:${file('three.tar')}:@0`, `${registry.host}/again:1`],
    ]
    for (const [from, to] of steps) {
      const copied = await run('copy', from!, to!)
      expect(copied).toMatchObject({ code: 0, stdout: `${descriptor.digest}\n` })
      // An archive has no name of its own; the sum is about its address, not about a name inside the command.
      if (to!.includes('-archive:')) expect(copied.stderr).toContain(`${to}: `)
    }
    expect((await remote.references.get('again:1'))?.digest).toBe(descriptor.digest)
    expect(readdirSync(directory.path).sort()).toEqual(['one.tar', 'store', 'three.tar', 'two.tar'])
    const gone = await run('copy', `${registry.host}/none:1`, `oci-archive:${file('none.tar')}`)
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_') })
    const nowhere = await run('copy', `${registry.host}/app:1`, `oci-archive:${file('missing/x.tar')}`)
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_STORE_IO') })
    expect(readdirSync(directory.path).sort()).toEqual(['one.tar', 'store', 'three.tar', 'two.tar'])
  })

  test('with --plan shows what would move; platforms, tags and JSON are as for pull and push', async () => {
    await sampleIndex(remote, ['amd64', 'arm64', 's390x'], 'app:1')
    const from = `${registry.host}/app:1`
    const args = ['copy', from, `oci:${layout()}:two`, '--platform', 'arm64', '--platform', 's390x', '--tag', 'other']
    const { stdout } = await run(...args, '--plan')
    expect(stdout).toMatch(/^KIND +DIGEST +SIZE +NEED +WHY\n/)
    expect(stdout).toContain('make')
    expect(stdout).toContain(' to move, 0B of ')
    expect(stdout).toContain('platforms: linux/arm64, linux/s390x; left out: linux/amd64')
    const done = JSON.parse((await run(...args, '--json')).stdout)
    expect(done).toMatchObject({ name: 'two', blobsMounted: 0 })
    await using store = await openStore(layout(), { readOnly: true })
    for (const name of ['two', 'other']) expect((await store.references.get(name))?.digest).toBe(done.digest)
    const comma = await run('copy', from, `oci:${layout('b')}:x`, '--platform', 'arm64,s390x', '--quiet')
    expect(comma).toEqual({ code: 0, stdout: `${done.digest}\n`, stderr: '' })
  })

  test('an address that cannot be parsed is wrong usage, a missing image is an error', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const from = `${registry.host}/app:1`
    await run('copy', from, `oci:${layout()}:1`)
    await run('copy', from, `oci:${layout()}:2`)
    const cases: [string, string, number, string][] = [
      [`oci:${layout()}`, 'store:x', 2, 'ERR_USAGE'],
      [`oci:${layout()}:`, 'store:x', 2, 'ERR_USAGE'],
      ['oci:', 'store:x', 2, 'ERR_USAGE'],
      [`oci:${layout()}:3`, 'store:x', 1, 'ERR_REFERENCE_NOT_FOUND'],
      [`oci:${layout('nowhere')}:1`, 'store:x', 1, 'ERR_STORE_NOT_FOUND'],
      [from, `oci:${layout()}:no name`, 1, 'ERR_INVALID_REFERENCE'],
      ['NOT/A:ref', 'store:x', 1, 'ERR_INVALID_REFERENCE'],
    ]
    for (const [source, target, code, error] of cases) {
      const ended = await run('copy', source, target)
      expect([source, target, ended.code, ended.stderr]).toEqual([source, target, code, expect.stringContaining(error)])
    }
    expect((await run('copy', `oci:${layout()}`, 'store:x')).stderr).toContain('has several images')
  })

  test('takes along what refers to the image', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const { code } = await run('copy', `${registry.host}/app:1`, 'store:app:1', '--referrers', '--verify-diff-ids')
    expect(code).toBe(0)
  })
})

describe('tags', () => {
  test('lists the tags of a repository, one a line, or as one document', async () => {
    for (const name of ['app:1', 'app:2']) await sampleImage(remote, [{ a: name }], { name })
    expect((await run('tags', `${registry.host}/app`)).stdout).toBe('1\n2\n')
    expect((await run('tags', `docker://${registry.host}/app`, '--json')).stdout).toBe('["1","2"]\n')
    expect(await run('tags', `${registry.host}/app:1`)).toMatchObject({ code: 2 })
    expect(await run('tags', `${registry.host}/none`)).toMatchObject({ code: 1 })
  })
})

describe('pull and push', () => {
  test('several platforms become an index, and several tags are set', async () => {
    await sampleIndex(remote, ['amd64', 'arm64', 's390x'], 'app:1')
    const pulled = await run(
      'pull',
      `${registry.host}/app:1`,
      '--platform',
      'amd64',
      '--platform',
      'arm64',
      '-t',
      'two:1',
    )
    const digest = pulled.stdout.trim()
    const pushed = await run('push', 'two:1', `${registry.host}/two:1`, '-t', '1.1', '-t', 'latest')
    expect(pushed.stdout).toBe(pulled.stdout)
    for (const tag of ['1', '1.1', 'latest']) expect((await remote.references.get(`two:${tag}`))?.digest).toBe(digest)
    expect(await run('push', 'two:1', `${registry.host}/one:1`, '--platform', 'arm64')).toMatchObject({ code: 0 })
    const both = ['push', 'two:1', `${registry.host}/one:1`, '--platform', 'arm64', '--all-platforms']
    expect(await run(...both)).toMatchObject({ code: 2 })
  })

  test('a pull that was broken off says in its next plan where it continues, and what came twice', async () => {
    const noise = randomBytes(600_000)
    const { layers } = await sampleImage(remote, [{ big: noise }], { name: 'app:1' })
    const { digest, size } = layers[0]!.descriptor
    const stop = new AbortController()
    registry.misbehave({ kind: 'stall', after: Math.floor(size / 2) }, { method: 'GET', path: new RegExp(digest) })
    const args = ['pull', `${registry.host}/app:1`]
    const store = join(directory.path, 'store')
    const running = cli(args, { store, signal: stop.signal })
    await expect.poll(() => registry.seen.find(({ fault }) => fault)?.sent).toBe(Math.floor(size / 2))
    // The bytes that the registry sent have not arrived yet.
    await expect
      .poll(async () => {
        await using opened = await openStore(store)
        return (await opened.statIngest!(digest))?.busy
      })
      .toBe(true)
    await new Promise(resolve => setTimeout(resolve, 100))
    stop.abort(new Error('enough'))
    expect((await running).code).toBe(130)
    const { stdout } = await run(...args, '--plan')
    expect(stdout).toMatch(/resume at \d/)
    expect((await run(...args)).code).toBe(0)
  })

  test('a pause that the registry asks for is reported', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    registry.misbehave({ kind: 'too-many-requests', retryAfter: 2 }, { method: 'GET', path: /blobs/ })
    const { code, stderr } = await run('pull', `${registry.host}/app:1`)
    expect(code).toBe(0)
    expect(stderr).toMatch(/: waiting \d s \(ERR_RATE_LIMITED\)\n/)
  })
})
