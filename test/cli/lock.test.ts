import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { pushImage } from '../../lib/transfer/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { ref, registry, serveRegistry, store } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

serveRegistry()
const directory = temporaryDirectory('lock')
afterAll(() => directory[Symbol.dispose]())
let count = 0
let context: string
let file: string
let base: string

async function pushBase(version: string): Promise<string> {
  const status = `Package: libx\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n`
  const files = { 'etc/os-release': 'ID=debian\n', 'var/lib/dpkg/status': status }
  const layer = await writeLayer(store, fromFiles(files))
  const platform = { os: 'linux', architecture: 'amd64' }
  const { descriptor } = await composeImage(store, { layers: [layer], config: { Env: [`V=${version}`] }, platform })
  await store.references.set('base', descriptor)
  await pushImage(store, registry, 'base', base)
  return descriptor.digest
}

/** Runs a command with a store of its own, as on a machine that has nothing. */
const fresh = (...args: string[]) => cli(args, { store: join(directory.path, `store-${++count}`) })
const build = (...args: string[]) => fresh('build', context, '--platform', 'linux/amd64', '--lock', file, ...args)
const read = () => JSON.parse(readFileSync(file, 'utf8'))

beforeEach(() => {
  context = join(directory.path, `context-${++count}`)
  mkdirSync(context)
  file = join(context, 'image.lock')
  base = ref('team/base:1')
  writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nARG TOKEN\nARG A\nCOPY one /\nCOPY two /\n`)
  writeFileSync(join(context, 'one'), 'one')
  writeFileSync(join(context, 'two'), 'two')
})

test('build --lock writes what it used and made, and a machine with an empty store uses the same base again', async () => {
  const first = await pushBase('1.0')
  const built = await build('--build-arg', 'TOKEN=canary', '--build-arg', 'A=1')
  expect(built).toMatchObject({ code: 0 })
  const text = readFileSync(file, 'utf8')
  expect(text).not.toContain('canary')
  expect(JSON.parse(text)).toMatchObject({
    version: 1,
    bases: [{ reference: base, platform: 'linux/amd64', digest: first, layers: [expect.stringMatching(/^sha256:/)] }],
    compressor: expect.stringMatching(/^gzip-6\/zlib-\d/),
    inputs: { args: { A: '1', TOKEN: 'xxxxx' } },
    images: [{ platform: 'linux/amd64', digest: built.stdout.trim() }],
  })
  await pushBase('2.0')
  expect((await build('--build-arg', 'TOKEN=canary', '--build-arg', 'A=1', '--pull')).stdout).toBe(built.stdout)
  expect(readFileSync(file, 'utf8')).toBe(text)
  const other = await fresh('build', context, '--platform', 'linux/amd64')
  expect(other.stdout).not.toBe(built.stdout)
  expect(readdirSync(context).sort()).toEqual(['Dockerfile', 'image.lock', 'one', 'two'])
})

test('a frozen lock refuses a base that it lacks and is not written; a lock that is not valid is refused', async () => {
  await pushBase('1.0')
  expect(await build('--lock-frozen')).toMatchObject({ code: 1, stderr: expect.stringMatching(/no such file/) })
  expect((await build()).code).toBe(0)
  const text = readFileSync(file, 'utf8')
  writeFileSync(join(context, 'one'), 'changed')
  expect((await build('--lock-frozen')).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe(text)
  writeFileSync(file, JSON.stringify({ ...JSON.parse(text), bases: [] }))
  expect(await build('--lock-frozen')).toMatchObject({ code: 1, stderr: expect.stringMatching(/the lock has no base/) })
  expect((await build()).code).toBe(0)
  expect(read().bases).toHaveLength(1)
  for (const bad of [
    { version: 2 },
    { more: 1 },
    { images: [{}] },
    { compressor: 1 },
    { inputs: { args: { A: 1 } } },
  ]) {
    writeFileSync(file, JSON.stringify({ ...JSON.parse(text), ...bad }))
    expect(await build()).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERR_BUILD_LOCK/) })
  }
  expect(await fresh('build', context, '--lock-frozen')).toMatchObject({ code: 2 })
})

test('lock check says nothing of an equal rebuild, and names input, layer and config of another one', async () => {
  await pushBase('1.0')
  const place = { store: join(directory.path, 'rebuilt') }
  const rebuild = () => cli(['build', context, '--platform', 'linux/amd64', '-t', 'app:1'], place)
  const check = (...args: string[]) =>
    cli(['lock', 'check', 'app:1', context, '--lock', file, '--json', ...args], place)
  expect((await build()).code).toBe(0)
  expect((await rebuild()).code).toBe(0)
  const equal = await check()
  expect([equal.code, JSON.parse(equal.stdout).differences]).toEqual([0, []])
  writeFileSync(join(context, 'two'), 'changed')
  await rebuild()
  const changed = await check('--build-arg', 'A=2')
  expect(changed.code).toBe(1)
  const parts = JSON.parse(changed.stdout).differences.map((one: { part: string; name?: string }) => [
    one.part,
    one.name,
  ])
  expect(parts).toEqual([
    ['context', undefined],
    ['args', 'A'],
    ['layer', '3'],
    ['config', undefined],
  ])
  await pushBase('2.0')
  writeFileSync(join(context, 'two'), 'two')
  await cli(['build', context, '--platform', 'linux/amd64', '-t', 'app:1', '--pull'], place)
  const based = JSON.parse((await check()).stdout).differences
  expect(based.map((one: { part: string; name?: string }) => [one.part, one.name])).toEqual([
    ['base', base],
    ['config', undefined],
  ])
})

test('lock update shows layers, packages and config of a newer base, and writes only if it is asked to', async () => {
  await pushBase('1.0')
  expect((await build()).code).toBe(0)
  const text = readFileSync(file, 'utf8')
  expect(await fresh('lock', 'update', '--lock', file)).toMatchObject({
    code: 0,
    stdout: '',
    stderr: '1 base, 0 changed\n',
  })
  const newer = await pushBase('2.0')
  const shown = await fresh('lock', 'update', '--lock', file, '--packages')
  expect(shown.stdout).toContain(`${base} (linux/amd64): ${JSON.parse(text).bases[0].digest} -> ${newer}`)
  for (const line of ['- layer 1', '+ layer 1', '~ Env V: "1.0" -> "2.0"', '~ deb libx 1.0 -> 2.0'])
    expect(shown.stdout).toContain(`  ${line}`)
  expect(readFileSync(file, 'utf8')).toBe(text)
  expect((await fresh('lock', 'update', '--lock', file, '--write')).code).toBe(0)
  expect(read().bases[0].digest).toBe(newer)
  expect(read().images).toEqual(JSON.parse(text).images)
  const inLayout = { ...read().bases[0], reference: 'oci-layout:///directory' }
  writeFileSync(file, JSON.stringify({ ...read(), bases: [inLayout] }))
  expect(await fresh('lock', 'update', '--lock', file)).toMatchObject({ code: 0, stderr: '1 base, 0 changed\n' })
})

test('lock update compares a base that only the store has with the store, and names one that nothing has', async () => {
  const place = join(directory.path, `store-${++count}`)
  const made = ref('team/made:1')
  const makeBase = async (text: string) => {
    writeFileSync(join(context, 'one'), text)
    const { code } = await cli(['append', 'scratch', '--file', join(context, 'one'), '-t', made], { store: place })
    expect(code).toBe(0)
  }
  await pushBase('1.0')
  await makeBase('first')
  writeFileSync(join(context, 'Dockerfile'), `FROM ${made} AS made\nFROM ${base}\nCOPY --from=made /one /\n`)
  const local = (...args: string[]) => cli(args, { store: place })
  expect((await local('build', context, '--platform', 'linux/amd64', '--lock', file)).code).toBe(0)
  expect(await local('lock', 'update', '--lock', file)).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/made:1: its registry does not have it, .*\n2 bases, 0 changed\n$/),
  })
  await makeBase('second')
  const newer = await pushBase('2.0')
  const shown = await local('lock', 'update', '--lock', file)
  expect(shown).toMatchObject({ code: 0, stderr: expect.stringMatching(/\n2 bases, 2 changed\n$/) })
  expect(shown.stdout).toContain(`${made} (linux/amd64): `)
  // The locked version leaves the store: the other base is compared all the same.
  {
    await using opened = await openStore(place, { durability: 'none' })
    await opened.delete(read().bases.find((one: { reference: string }) => one.reference === made).digest)
  }
  const collected = await local('lock', 'update', '--lock', file)
  expect(collected).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/warning: .*made:1 \(.*not compared: .*\n2 bases, 1 changed, 1 not compared\n$/s),
  })
  const elsewhere = await fresh('lock', 'update', '--lock', file, '--write')
  expect(elsewhere).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /warning: .*made:1 \(.*not compared: .*lists the tags \(ERR_MANIFEST_NOT_FOUND\)\n.*1 not compared\n$/s,
    ),
  })
  expect(read().bases.map((one: { digest: string }) => one.digest)).toContain(newer)
})

test('a lock that cannot be written is named', async () => {
  await pushBase('1.0')
  const missing = join(directory.path, 'none', 'image.lock')
  expect(await fresh('build', context, '--platform', 'linux/amd64', '--lock', missing)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`cannot write to --lock ${JSON.stringify(missing)} (ENOENT)`),
  })
})
