import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { createContainer } from '../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { readTar } from '../../lib/tar/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
const file = (name: string) => join(place.path, name)
const run = (...args: string[]) => cli(args, { store: file('store') })
const at = (name: string) => `${server.host}/${name}`
const digestOf = async (name: string) => (await remote.references.get(name))?.digest

beforeEach(async () => {
  place = temporaryDirectory('composing')
  remote = createMemoryStore()
  server = await serveStore(remote)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

describe('append', () => {
  test('puts files on a base in a registry and pushes the result, in one command and without a name', async () => {
    const base = await sampleImage(remote, [{ os: 'base' }], { name: 'base:1', config: { Env: ['A=1'] } })
    writeFileSync(file('run.sh'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(file('app.json'), '{}')
    const { code, stdout } = await run(
      ...['append', at('base:1'), '--platform', 'amd64', '--push', at('app:1'), '--created', '2026-01-02'],
      ...['--file', `${file('run.sh')}:/usr/bin/`, '--file', `${file('app.json')}:/etc/app.json:600`],
      ...['--expose', '8080', '--expose', '53/udp', '--volume', '/data', '--annotation', 'team=a'],
    )
    expect({ code, digest: stdout.trim() }).toEqual({ code: 0, digest: await digestOf('app:1') })
    const image = await readImage(remote, 'app:1', { platform: 'amd64' })
    expect(image.manifest.annotations).toEqual({
      team: 'a',
      'org.opencontainers.image.base.name': at('base:1'),
      'org.opencontainers.image.base.digest': base.descriptor.digest,
    })
    expect(image.config).toMatchObject({
      created: '2026-01-02T00:00:00Z',
      config: { Env: ['A=1'], ExposedPorts: { '8080/tcp': {}, '53/udp': {} }, Volumes: { '/data': {} } },
    })
    expect(
      server.requests.filter(line => line.startsWith('GET') && line.includes(base.layers[0]!.descriptor.digest)),
    ).toEqual([])
    expect((await run('images', '--json')).stdout).toBe('[]\n')
  })

  test('gives files the place, the mode and the owner that the command line says', async () => {
    writeFileSync(file('plain'), 'x', { mode: 0o600 })
    const files = ['--file', file('plain'), '--file', `${file('plain')}:/opt/tool:0755`]
    await run('append', 'scratch', ...files, '--owner', '7:8', '--compression', 'none', '-t', 'app:1')
    await using store = await openStore(file('store'))
    const { layers } = await readImage(store, 'app:1', { platform: 'amd64' })
    const entries = []
    for await (const { path, mode, uid, gid } of readTar(store.read(layers[0]!.descriptor.digest))) {
      entries.push({ path, mode, uid, gid })
    }
    const owner = { uid: 7, gid: 8 }
    expect(entries).toEqual([
      { path: 'opt', mode: 0o755, ...owner },
      { path: 'opt/tool', mode: 0o755, ...owner },
      { path: 'plain', mode: 0o644, ...owner },
    ])
  })

  test.each([
    [['--file', '.'], 'is not a file'],
    [['--expose', '70000'], '--expose takes PORT'],
    [['--expose', 'http'], '--expose takes PORT'],
    [['--volume', 'data'], '--volume takes a path'],
    [['--created', 'now'], '--created takes seconds or a date'],
  ])('refuses %j', async (options, message) => {
    const made = await run('append', 'scratch', '-t', 'app:1', ...options)
    expect(made).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  })
})

test('an act that needs the files of a base that was not pulled names the registry that has them', async () => {
  await sampleImage(remote, [{ os: 'base' }], { name: 'base:1' })
  await run('append', at('base:1'), '--platform', 'amd64', '-t', 'app:1', '--env', 'A=1')
  const platform = ['--platform', 'amd64']
  expect((await run('images')).stderr).toMatch(
    new RegExp(`^app:1: \\d+B of it are in ${at('base')}, not in the store\n$`),
  )
  for (const args of [
    ['files', 'app:1'],
    ['cat', 'app:1', '/os'],
    ['unpack', 'app:1', file('out')],
    ['edit', 'app:1', '--convert', 'none', '-t', 'app:2'],
    ['run', '--keep', 'none', 'app:1', 'true'],
  ]) {
    expect(await run(...args, ...platform)).toMatchObject({
      code: args[0] === 'run' ? 125 : 1,
      stderr: expect.stringContaining(`it was left in ${at('base')}; pull it from there first (ERR_BLOB_NOT_FOUND)`),
    })
  }
  expect(existsSync(file('out'))).toBe(false)
  expect(await run('validate', 'app:1', ...platform)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      new RegExp(`^error: layer 1: .*: it was left in ${at('base')}; pull it from there first \\(ERR_BLOB_NOT_FOUND`),
    ),
  })
  {
    await using store = await openStore(file('store'))
    await using _container = await createContainer(store, 'app:1', { id: 'kept', command: ['true'], platform: 'amd64' })
  }
  expect(await run('start', 'kept')).toMatchObject({
    code: 125,
    stderr: expect.stringContaining(`it was left in ${at('base')}; pull it from there first (ERR_BLOB_NOT_FOUND)`),
  })
  expect(await run('containers', 'rm', 'kept')).toEqual({ code: 0, stdout: 'kept\n', stderr: '' })
  await run('pull', at('base:1'), ...platform)
  expect((await run('cat', 'app:1', '/os', ...platform)).stdout).toBe('base')
})

describe('index', () => {
  test('is created of two builds, extended, filtered and pushed', async () => {
    const images = await sampleIndexImage(remote, ['amd64', 'arm64', 's390x'], 'multi:1')
    for (const [i, name] of ['amd64', 'arm64', 's390x'].entries()) {
      await remote.references.set(`app:${name}`, images.images[i]!.descriptor)
    }
    await run('pull', at('app:amd64'), '-t', 'amd64:1', '--platform', 'amd64')
    const created = await run('index', 'create', 'amd64:1', at('app:arm64'), '-t', 'both:1', '--annotation', 'a=b')
    expect(created.code).toBe(0)
    const more = await run('index', 'append', 'both:1', at('app:s390x'), '--push', at('three:1'))
    expect(more.stdout.trim()).toBe(await digestOf('three:1'))
    const fewer = await run(
      'index',
      'filter',
      at('multi:1'),
      '--platform',
      'linux/arm64,s390x',
      '--push',
      at('two:1'),
      '--json',
    )
    expect(JSON.parse(fewer.stdout).manifests).toMatchObject([
      { platform: { architecture: 'arm64' } },
      { platform: { architecture: 's390x' } },
    ])
    expect(JSON.parse(fewer.stdout).digest).toBe(await digestOf('two:1'))
  })

  test.each([
    [['index', 'create', 'a:1'], 'needs a name'],
    [['index', 'make', 'a:1'], 'index takes create, append or filter'],
    [['index', 'append', 'a:1', '-t', 'b:1'], 'index append takes'],
    [['index', 'filter', 'a:1', '-t', 'b:1'], 'index filter takes'],
  ])('%j is refused', async (args, message) => {
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  })
})

test('rebase moves an image of a registry to another base, and finds the old base by the annotations', async () => {
  await sampleImage(remote, [{ os: 'old' }], { name: 'base:1', config: { Env: ['V=1'] } })
  const onto = await sampleImage(remote, [{ os: 'new' }], { name: 'base:2', config: { Env: ['V=2'] } })
  writeFileSync(file('app'), 'run')
  const platform = ['--platform', 'amd64']
  await run('append', at('base:1'), '--file', file('app'), '--push', at('app:1'), ...platform)
  const moved = await run('rebase', at('app:1'), '--onto', at('base:2'), '--push', at('app:2'), ...platform)
  expect(moved).toMatchObject({ code: 0, stdout: `${await digestOf('app:2')}\n` })
  const image = await readImage(remote, 'app:2', { platform: 'amd64' })
  expect(image.layers[0]).toEqual(onto.layers[0])
  expect(image.config.config?.Env).toEqual(['V=2'])
  const direct = await run('append', at('base:2'), '--file', file('app'), '--push', at('app:3'), ...platform)
  expect(direct.stdout).toBe(moved.stdout)
  const lost = await run('rebase', at('base:1'), '--onto', at('base:2'), '-t', 'x:1', ...platform)
  expect(lost).toMatchObject({ code: 2, stderr: expect.stringContaining('--from BASE') })
})

describe('artifacts', () => {
  const type = 'application/vnd.example.report'

  test('are made of files, attached to images in a registry or in the store, and listed', async () => {
    const { descriptor } = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    writeFileSync(file('r.json'), '{}')
    const content = ['--type', type, '--file', `${file('r.json')}:application/json`]
    const made = await run('artifact', ...content, '--push', at('reports:1'))
    expect(made.stdout.trim()).toBe(await digestOf('reports:1'))
    const attached = await run('attach', at('app:1'), ...content, '--annotation', 'run=7')
    const listed = await run('referrers', at('app:1'), '--json')
    expect(JSON.parse(listed.stdout)).toMatchObject([{ digest: attached.stdout.trim(), artifactType: type }])
    expect((await run('referrers', at('app:1'), '--type', 'x/y', '--quiet')).stdout).toBe('')

    await run('pull', at('app:1'), '-t', 'app:1', '--platform', 'amd64')
    const stored = await run('attach', 'app:1', ...content, '--annotation', 'run=7')
    expect(stored.stdout).toBe(attached.stdout)
    const inStore = await run('referrers', 'app:1', '--type', type, '--json')
    expect(JSON.parse(inStore.stdout)).toEqual(JSON.parse(listed.stdout))
    expect((await run('referrers', 'app:1')).stdout).toContain(type)
    expect(descriptor.digest).toBe(await digestOf('app:1'))
  })

  test('of a type that is no media type, or of a missing file, are refused', async () => {
    expect(await run('artifact', '--type', 'report', '-t', 'a:1')).toMatchObject({ code: 1 })
    const missing = await run('artifact', '--type', type, '--file', file('none'), '-t', 'a:1')
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('no such file') })
  })
})

describe('rm --remote', () => {
  test('removes tags and digests of a registry, and says what does not exist', async () => {
    const image = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    await remote.references.set('app:2', image.descriptor)
    expect(await run('rm', '--remote', at('app:1'))).toMatchObject({ code: 0, stdout: `${at('app:1')}\n` })
    expect([await digestOf('app:1'), await digestOf('app:2')]).toEqual([undefined, image.descriptor.digest])
    expect(await run('rm', `docker://${at(`app@${image.descriptor.digest}`)}`)).toMatchObject({ code: 0 })
    expect(await digestOf('app:2')).toBeUndefined()
    expect(await run('rm', at('app:2'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('; for a tag in a registry add --remote (ERR_'),
    })
    expect(await run('rm', '--remote', at('app:2'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_MANIFEST_NOT_FOUND'),
    })
    expect(await run('rm', '--remote', at('app'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('REPOSITORY:TAG'),
    })
  })

  test('keeps the newest images with all their tags, shows first what would go, and leaves other tags alone', async () => {
    for (const n of [1, 2, 9, 10]) await sampleImage(remote, [{ n: `${n}` }], { name: `app:build-${n}` })
    await remote.references.set('app:latest', (await remote.references.get('app:build-10'))!)
    await remote.references.set('app:stable', (await remote.references.get('app:build-1'))!)
    const args = ['rm', '--remote', at('app'), '--keep-last', '2', '--match', 'build-*']
    const shown = await run(...args, '--dry-run')
    expect(shown.stdout).toMatch(/remove +build-2 /)
    expect(shown.stdout).toMatch(/keep +build-10 .*\nkeep +build-9 /)
    expect(await run(...args)).toMatchObject({ code: 0, stdout: 'build-1\nbuild-2\n' })
    expect((await run('tags', at('app'))).stdout).toBe('build-10\nbuild-9\nlatest\nstable\n')
    expect((await run(...args, '--digests')).stdout).toBe('')
  })

  test('options that need another option are refused', async () => {
    expect(await run('rm', '--remote', at('app:1'), '--match', 'x')).toMatchObject({ code: 2 })
    expect(await run('rm', 'app', '--keep-last', '2')).toMatchObject({ code: 2 })
    expect(await run('rm', '--remote', at('a'), at('b'), '--keep-last', '2')).toMatchObject({ code: 2 })
    expect(existsSync(file('store'))).toBe(false)
  })
})

test('save --have leaves out what the receiver has: an image of the store, an archive, or an image of a registry', async () => {
  await sampleImage(remote, [{ lib: 'x'.repeat(100_000) }], { name: 'base:1' })
  mkdirSync(file('app'))
  writeFileSync(file('app/main.js'), 'run()')
  await run('append', at('base:1'), '--dir', file('app'), '-t', 'app:1', '--platform', 'amd64', '--pull')
  await run('save', at('base:1'), '-o', file('base.tar'))
  for (const have of [at('base:1'), file('base.tar'), `oci-archive:${file('base.tar')}`]) {
    const saved = await run('save', 'app:1', '--have', have, '-o', file('delta.tar'))
    expect(saved.code).toBe(0)
    const refused = await cli(['load', '-i', file('delta.tar')], { store: file('other') })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the archive is a delta') })
  }
  await cli(['load', '-i', file('base.tar')], { store: file('other') })
  expect(await cli(['load', '-i', file('delta.tar')], { store: file('other') })).toMatchObject({
    code: 0,
    stdout: 'app:1\n',
  })
  await using other = await openStore(file('other'))
  expect((await readAll(other.read((await other.references.get('app:1'))!.digest))).length).toBeGreaterThan(0)
})
