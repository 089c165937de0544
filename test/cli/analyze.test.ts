import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
const run = (...args: string[]) => cli([...args, '--hasher', 'native'], { store })
const json = async (...args: string[]) => JSON.parse((await run('analyze', ...args, '--json')).stdout)

beforeAll(async () => {
  directory = temporaryDirectory('analyze')
  store = join(directory.path, 'store')
  await using opened = await openStore(store, { durability: 'none', hasher: 'native' })
  const content = (size: number) => Buffer.alloc(size, 'x')
  const base = await writeLayer(opened, [
    { path: 'usr/bin/su', type: 'file', mode: 0o4755, content: content(4000) },
    { path: 'usr/lib/big', type: 'file', content: content(50_000) },
    { path: 'var/lib/apt/lists/index', type: 'file', content: content(9000) },
  ])
  const user = await writeLayer(opened, [
    { path: 'usr/lib/big', type: 'file', content: content(50_000), uid: 1000 },
    { path: 'var/lib/apt/.wh.lists', type: 'file' },
    { path: 'root/.ssh/id_rsa', type: 'file', content: '-----BEGIN RSA PRIVATE KEY-----\nabc' },
    { path: 'app/one', type: 'file', content: content(700) },
    { path: 'app/two', type: 'file', content: content(700) },
  ])
  const lower = await composeImage(opened, { layers: [{ ...base, history: { created_by: 'ADD rootfs.tar /' } }] })
  const history = { created_by: 'RUN chown -R 1000 /usr/lib' }
  const image = await composeImage(opened, { base: lower, layers: [{ ...user, history }], platform: 'linux/amd64' })
  await opened.references.set('base:1', lower.descriptor)
  await opened.references.set('app:1', image.descriptor)
})
afterAll(() => directory[Symbol.dispose]())

describe('analyze', () => {
  test('prints sums, layers, and each kind of finding', async () => {
    const { code, stdout, stderr } = await run('analyze', 'app:1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const text = stdout.replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST').replaceAll(/ {2,}/g, '  ')
    expect(
      text.replaceAll(/\d+B compressed/g, 'N compressed').replaceAll(/^(\d[\w ]*?) {2}\d+B/gm, '$1  N'),
    ).toBe(`Image  app:1 (linux/amd64)
Digest  DIGEST
Size  N compressed, 114kB unpacked in 14 paths
Base  1 layer, N compressed (by its annotation)
Efficiency  56.31 % (dive; 100kB wasted with remaining copies)
Wasted  59.0kB, of which 0B in the base alone

LAYER  BLOB  FILES  WASTED  COUNT  CREATED BY
1 base  N  63.0kB  59.0kB  3  ADD rootfs.tar /
2  N  51.4kB  0B  5  RUN chown -R 1000 /usr/lib

Wasted: 59.0kB in 2 paths
  50.0kB  usr/lib/big  layer 1 rewritten by 2
  9.00kB  var/lib/apt/lists/index  layer 1 removed by 2

Stored again unchanged: 50.0kB in 1 file
  50.0kB  layer 2  1 file: uid of 1

Same content at several paths: 700B more than once
  700B  app/one, app/two

Caches and leftovers
  9.00kB (9.00kB removed later)  var/lib/apt/lists  apt; end the step with: rm -rf /var/lib/apt/lists/*

Secrets: 1
  root/.ssh/id_rsa (private key, layer 2)

Set-id programs: 1
  usr/bin/su

Largest files
  50.0kB  usr/lib/big
  4.00kB  usr/bin/su
  700B  app/one
  700B  app/two
  35B  root/.ssh/id_rsa

Largest directories
  50.0kB  usr/lib
  4.00kB  usr/bin
  1.40kB  app
  35B  root/.ssh
`)
  })

  test('gives the same analysis from the store, a layout, an archive and a registry', async () => {
    const archive = join(directory.path, 'app.tar')
    const layout = join(directory.path, 'layout')
    await run('save', 'app:1', '-o', archive)
    await run('copy', 'store:app:1', `oci:${layout}:x`)
    await using opened = await openStore(store, { readOnly: true })
    await using server = await serveStore(opened)
    const { name: _, ...wanted } = await json('app:1', '--base', 'base:1')
    expect(wanted).toMatchObject({
      waste: { bytes: 59_000 },
      secrets: { count: 1 },
      base: { layers: 1, from: 'option' },
    })
    for (const place of [`oci:${layout}:x`, `oci-archive:${archive}`, `docker://${server.host}/app:1`]) {
      const { name, ...found } = await json(place, '--base', 'base:1')
      expect([name, found]).toEqual([place, wanted])
    }
  })

  test('--top cuts the lists, --no-secrets looks for none', async () => {
    const { stdout } = await run('analyze', 'app:1', '--top', '1', '--no-secrets')
    expect(stdout).toContain('50.0kB   usr/lib/big')
    expect(stdout).not.toContain('usr/bin/su\n  700B')
    expect(stdout).not.toContain('Secrets')
    expect((await run('analyze', 'app:1', '--top', 'many')).code).toBe(2)
  })

  test('shows no content of a secret', async () => {
    expect((await run('analyze', 'app:1', '--json')).stdout).not.toContain('BEGIN')
  })
})

describe('rules', () => {
  const file = () => join(directory.path, 'rules')

  test('of dive are checked with --ci; a rule that fails is printed, and the exit code is 1', async () => {
    writeFileSync(
      file(),
      'rules:\n  lowestEfficiency: 0.5\n  highestWastedBytes: 1MB\n  highestUserWastedPercent: disabled\n',
    )
    const good = await run('analyze', 'app:1', '--ci-config', file())
    expect(good).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('PASS  lowestEfficiency: 56.31 %, limit 50.00 %'),
    })
    const bad = await run('analyze', 'app:1', '--ci-config', file(), '--highestWastedBytes', '99kB')
    expect(bad).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('FAIL  highestWastedBytes: 100kB, limit 99.0kB'),
    })
    expect((await run('analyze', 'app:1', '--ci')).stdout).toContain('FAIL  lowestEfficiency: 56.31 %, limit 90.00 %')
  })

  test('for size and secrets are checked, and are in the JSON', async () => {
    const { code, stdout } = await run(
      'analyze',
      'app:1',
      '--max-size',
      '1',
      '--max-unpacked',
      '1MB',
      '--fail-on-secrets',
      '--json',
    )
    expect(code).toBe(1)
    expect(
      JSON.parse(stdout).rules.map(({ rule, passed }: { rule: string; passed: boolean }) => [rule, passed]),
    ).toEqual([
      ['highestSize', false],
      ['highestUnpackedSize', true],
      ['highestSecrets', false],
    ])
    expect((await run('analyze', 'app:1', '--lowestEfficiency', '0.5')).code).toBe(0)
  })

  test.each([
    [['--lowestEfficiency', '2'], '--lowestEfficiency must be a share'],
    [['--max-size', 'big'], '--max-size takes'],
    [['--fail-on-secrets', '--no-secrets'], '--fail-on-secrets'],
    [['--json', '--dive-json', '-'], '--dive-json'],
  ])('with %j are wrong usage', async (args, text) => {
    const { code, stdout, stderr } = await run('analyze', 'app:1', ...args)
    expect(code).toBe(2)
    expect(stdout + stderr).toContain(text)
  })

  test('in a file that does not exist fail as every missing file does', async () => {
    const { code, stderr } = await run('analyze', 'app:1', '--ci-config', '/nowhere/rules')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/no such file.*ERR_SOURCE_NOT_FOUND/) })
  })

  test('in a file that is no rule file fail', async () => {
    writeFileSync(file(), 'rules:\n  lowestEfficency: 1\n')
    const { code, stderr } = await run('analyze', 'app:1', '--ci-config', file())
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('line 2') })
  })
})

test('--dive-json writes the report of dive', async () => {
  const path = join(directory.path, 'dive.json')
  const { stdout } = await run('analyze', 'app:1', '--dive-json', path)
  expect(stdout).toContain('Efficiency')
  const report = JSON.parse(readFileSync(path, 'utf8'))
  expect(report.image).toMatchObject({ sizeBytes: 114_435, inefficientBytes: 100_000 })
  expect(report.image.fileReference[0]).toEqual({ count: 2, sizeBytes: 100_000, file: '/usr/lib/big' })
  expect(report.layer[1]).toMatchObject({ index: 1, command: 'RUN chown -R 1000 /usr/lib' })
  expect(JSON.parse((await run('analyze', 'app:1', '--dive-json', '-')).stdout)).toEqual(report)
  // The rules hold for the exit code all the same.
  const gated = await run('analyze', 'app:1', '--dive-json', '-', '--ci')
  expect({ code: gated.code, report: JSON.parse(gated.stdout) }).toEqual({ code: 1, report })
  const nowhere = await run('analyze', 'app:1', '--dive-json', join(directory.path, 'no', 'such', 'dive.json'))
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot write to --dive-json') })
})

describe('--html', () => {
  test('writes a page about the image, and prints the figures as without it', async () => {
    const path = join(directory.path, 'report.html')
    const { code, stdout } = await run('analyze', 'app:1', '--html', path)
    expect(code).toBe(0)
    expect(stdout).toBe((await run('analyze', 'app:1')).stdout)
    const page = readFileSync(path, 'utf8')
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).toContain('"name":"app:1"')
    // A page alone on stdout, and the exit code of the rules.
    const gated = await run('analyze', 'app:1', '--html', '-', '--ci')
    expect(gated).toEqual({ code: 1, stdout: page, stderr: '' })
  })

  test('compares older releases, with the advice how to split them, and with --dedup what chunks save', async () => {
    const { stdout } = await run('analyze', 'app:1', 'base:1', '--html', '-', '--dedup')
    const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(stdout) ?? []
    const data = JSON.parse(json!)
    expect(data.images.map(({ name }: { name: string }) => name)).toEqual(['base:1', 'app:1'])
    expect(data.shared.layers).toHaveLength(1)
    expect(data.split.releases).toHaveLength(2)
    expect(data.dedup.levels.map(({ level }: { level: string }) => level)).toEqual(['image', 'blob', 'file', 'chunk'])
  })

  test.each([
    [['--html', '-', '--json'], '--html - and --json both print a document'],
    [['--html', '-', '--dive-json', '-'], '--html - and --dive-json - both print a document'],
    [['--dedup'], '--dedup needs --html'],
  ])('%j is refused', async (options, message) => {
    const { code, stdout, stderr } = await run('analyze', 'app:1', ...options)
    expect({ code, text: `${stdout}${stderr}` }).toEqual({ code: 2, text: expect.stringContaining(message) })
  })
})

test('older releases give advice how to split the image', async () => {
  const { code, stdout } = await run('analyze', 'app:1', 'base:1')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Split: \d+B less for each update, by estimate$/m)
  expect(stdout).toMatch(/^ {2}in every release: 1 layer, \d+B$/m)
  expect(stdout).toMatch(/^ {2}layer 1: 51.4kB in 4 files, changed in 1 of 1 update$/m)
  const { split } = await json('app:1', 'base:1')
  expect(split.releases).toHaveLength(2)
  expect(split.updates).toMatchObject([{ changedFiles: 4 }])
})
