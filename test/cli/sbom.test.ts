import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
const run = (...args: string[]) => cli(args, { store: join(place.path, 'store') })
const manifest = (name: string, version: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, license: 'MIT' }),
})

beforeEach(async () => {
  place = temporaryDirectory('sbom')
  await using store = await openStore(join(place.path, 'store'), { durability: 'none' })
  await sampleImage(store, [manifest('a', '1.0.0'), { 'var/lib/rpm/Packages': 'x' }], { name: 'app:1' })
  await sampleImage(store, [manifest('a', '1.1.0'), manifest('b', '1.0.0')], { name: 'app:2' })
})
afterEach(() => place[Symbol.dispose]())

test('sbom prints a line for each package, and says on stderr what it did not read', async () => {
  expect(await run('sbom', 'app:1')).toEqual({
    code: 0,
    stdout: 'TYPE   NAME   VERSION   LICENSE   LAYER\nnpm    a      1.0.0     MIT       1\n',
    stderr: expect.stringContaining('not read: var/lib/rpm/Packages: not readable: not a sqlite database'),
  })
  const json = JSON.parse((await run('sbom', 'app:1', '--json')).stdout)
  expect(json).toMatchObject({ name: 'app:1', packages: [{ name: 'a', layer: 0 }], unread: [{}] })
})

test('sbom --format prints the document alone, the same each time', async () => {
  const spdx = await run('sbom', 'app:1', '--format', 'spdx')
  expect(JSON.parse(spdx.stdout)).toMatchObject({ spdxVersion: 'SPDX-2.3', name: 'app:1' })
  expect((await run('sbom', 'app:1', '--format', 'spdx')).stdout).toBe(spdx.stdout)
  const cyclonedx = JSON.parse((await run('sbom', 'app:1', '--format', 'cyclonedx')).stdout)
  expect(cyclonedx).toMatchObject({ bomFormat: 'CycloneDX', components: [{ name: 'a' }] })
})

test('sbom --diff lists what changed since another image', async () => {
  const { stdout, code } = await run('sbom', 'app:2', '--diff', 'app:1')
  expect({ lines: stdout.split('\n').map(line => line.split(/ {2,}/)), code }).toEqual({
    lines: [
      ['', 'TYPE', 'NAME', 'VERSION'],
      ['+', 'npm', 'b', '1.0.0'],
      ['~', 'npm', 'a', '1.0.0 -> 1.1.0 (upgrade)'],
      [''],
    ],
    code: 0,
  })
  const json = JSON.parse((await run('sbom', 'app:2', '--diff', 'app:1', '--json')).stdout)
  expect(json).toMatchObject({ names: ['app:1', 'app:2'], removed: [], changed: [{ name: 'a' }] })
})

test.each([
  ['--format', 'xml'],
  ['--format', 'spdx', '--diff', 'app:1'],
])('sbom %s %s is wrong usage', async (...args) => {
  expect((await run('sbom', 'app:2', ...args)).code).toBe(2)
})

test('sbom --attach and --attest push documents that --existing lists and prints', async () => {
  await using store = await openStore(join(place.path, 'remote'), { durability: 'none' })
  await using server = await serveStore(store)
  const name = `${server.host}/team/app:1`
  await run('push', 'app:1', name)
  const attached = await run('sbom', name, '--attach')
  expect(attached).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:/) })
  expect((await run('sbom', name, '--attest', '--format', 'cyclonedx')).code).toBe(0)
  const { stdout } = await run('sbom', name, '--existing')
  expect(
    stdout
      .split('\n')
      .slice(1)
      .map(line => line.split(/ {2,}/).at(-1))
      .sort(),
  ).toEqual(['', 'application/spdx+json', 'https://cyclonedx.org/bom'])
  expect(JSON.parse((await run('sbom', name, '--existing', 'spdx')).stdout)).toMatchObject({ spdxVersion: 'SPDX-2.3' })
  expect(JSON.parse((await run('sbom', name, '--existing', 'cyclonedx')).stdout)).toMatchObject({
    predicate: { bomFormat: 'CycloneDX' },
    subject: [{ name }],
  })
  expect(await run('sbom', `docker://${name}`, '--attach')).toMatchObject({ code: 0, stdout: attached.stdout })
  const document = await run('sbom', `docker://${name}`, '--format', 'spdx')
  expect(JSON.parse(document.stdout)).toMatchObject({ name })
  expect(JSON.parse((await run('sbom', name, '--existing', '--json')).stdout)).toHaveLength(2)
  expect((await run('sbom', name, '--existing', 'none')).code).toBe(2)
  expect((await run('sbom', name, '--existing', '--attach')).stderr).toContain('--attach and --existing cannot be used')
  expect((await run('sbom', 'app:1', '--existing')).stdout).not.toContain('sha256')
})
