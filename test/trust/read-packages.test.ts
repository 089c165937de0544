import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { type PackageList, readPackages, toCycloneDx, toSpdx } from '../../lib/trust/index.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { sampleImage } from '../helpers/sample-image.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

const dpkg = (...records: readonly (readonly [string, string, string?])[]) =>
  records
    .map(
      ([name, version, status = 'install ok installed']) =>
        `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: ${version}\nDescription: a\n Version: 0\n .\n`,
    )
    .join('\n')
const debian = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\nVERSION_ID="12"\nID=debian\n'
const hardLink = (path: string, linkname: string) => ({ path, type: 'hardlink', linkname }) as const
const told = ({ packages }: PackageList) => packages.map(({ name, version, layer }) => [name, version, layer])

test('packages of dpkg are those that are installed, each with the layer that brought its version', async () => {
  const status = 'var/lib/dpkg/status'
  const { layers } = await sampleImage(
    store,
    [
      { [status]: dpkg(['base', '1'], ['old', '1'], ['gone', '1']), 'etc/os-release': debian },
      { 'app/file': 'no package' },
      { [status]: dpkg(['base', '1'], ['old', '2'], ['gone', '1']) },
      { [status]: dpkg(['base', '1'], ['old', '2'], ['new', '1:2+b~1'], ['gone', '1', 'deinstall ok config-files']) },
    ],
    { name: 'app:1' },
  )
  const list = await readPackages(store, 'app:1')
  expect(told(list)).toEqual([
    ['base', '1', 0],
    ['new', '1:2+b~1', 3],
    ['old', '2', 2],
  ])
  expect(list.os).toEqual({ id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' })
  expect(list.packages[1]).toEqual({
    type: 'deb',
    name: 'new',
    version: '1:2+b~1',
    architecture: 'amd64',
    purl: 'pkg:deb/debian/new@1:2%2Bb~1?arch=amd64&distro=debian-12',
    path: status,
    layer: 3,
    diffId: layers[3]!.diffId,
  })
  expect(list.unread).toEqual([])
})

test('packages of a database that was removed and written again are from there on; that of another name is found', async () => {
  const status = 'var/lib/dpkg/status'
  const file = (path: string, content = '') => ({ path, type: 'file', content }) as const
  const list = async (...layers: TarInput[][]) => {
    const written = []
    for (const entries of layers) written.push(await writeLayer(store, entries))
    return told(await readPackages(store, (await composeImage(store, { layers: written })).descriptor))
  }
  const lower = [file(status, dpkg(['a', '1'], ['b', '1']))]
  for (const hiding of ['var/lib/dpkg/.wh.status', 'var/.wh.lib', 'var/lib/.wh..wh..opq', '.wh..wh..opq']) {
    expect([hiding, await list(lower, [file(hiding)])]).toEqual([hiding, []])
    const again = [['a', '1', 2]]
    expect(await list(lower, [file(hiding)], [file(status, dpkg(['a', '1']))])).toEqual(again)
    expect(await list(lower, lower, [file(hiding), file(status, dpkg(['a', '1']))])).toEqual(again)
  }
  const linked = [file('backup', dpkg(['a', '1'], ['c', '1'])), hardLink(status, 'backup')]
  expect(await list(lower, linked)).toEqual([
    ['a', '1', 0],
    ['c', '1', 1],
  ])
  const apart = [file(status, dpkg(['a', '1'], ['e', '1'])), hardLink('own', 'below')]
  expect(await list([...lower, file('below')], apart, [file(status, dpkg(['e', '1']))])).toEqual([['e', '1', 1]])
  const both = dpkg(['a', '1'], ['c', '1'], ['d', '1'])
  expect(await list(lower, linked, [file(status, both)])).toEqual([
    ['a', '1', 0],
    ['c', '1', 1],
    ['d', '1', 2],
  ])
})

test('images without dpkg have a record for each package, with checksums beside it', async () => {
  const record = 'Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n'
  const at = (name: string) => `var/lib/dpkg/status.d/${name}`
  await sampleImage(store, [{ 'etc/passwd': 'x' }, { [at('tzdata')]: record, [at('tzdata.md5sums')]: 'Package: no' }], {
    name: 'app:1',
  })
  expect(told(await readPackages(store, 'app:1'))).toEqual([['tzdata', '2024a-0+deb12u1', 1]])
})

test('packages of apk are found through links, with their licences', async () => {
  const installed = [
    'C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nS:1\nL:MIT\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755',
    'C:Q1abd=\nP:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\n',
  ].join('\n\n')
  const layer = await writeLayer(store, [
    { path: 'lib', type: 'symlink', linkname: 'usr/lib' },
    { path: 'usr/lib/apk/db/installed', type: 'file', content: installed },
    { path: 'etc/os-release', type: 'symlink', linkname: '../usr/lib/os-release' },
    { path: 'usr/lib/os-release', type: 'file', content: "ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME='Alpine Linux'\n" },
  ])
  const { descriptor } = await composeImage(store, { layers: [layer] })
  const { packages } = await readPackages(store, descriptor)
  expect(packages.map(({ purl, license }) => [purl, license])).toEqual([
    ['pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20.1', 'GPL-2.0-only'],
    ['pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.1', 'MIT'],
  ])
  expect(packages[0]!.path).toBe('usr/lib/apk/db/installed')
})

test('packages of npm and Python are files, with scopes and licences of every form', async () => {
  const json = (value: object) => JSON.stringify(value)
  await sampleImage(
    store,
    [
      {
        'app/node_modules/plain/package.json': json({ name: 'plain', version: '1.0.0', license: 'MIT' }),
        'app/node_modules/plain/esm/package.json': json({ type: 'module', name: 'no', version: '1' }),
        'app/node_modules/plain/node_modules/plain/package.json': json({ name: 'plain', version: '0.1.0' }),
        'app/node_modules/.bin/package.json': json({ name: 'no', version: '1' }),
        'app/package.json': json({ name: 'no', version: '1' }),
        'app/node_modules/broken/package.json': '{',
        'app/node_modules/unnamed/package.json': json({ version: '1' }),
        'app/node_modules/list/package.json': '[null]',
      },
      {
        'app/node_modules/@s/scoped/package.json': json({
          name: '@s/scoped',
          version: '2.0.0-a+b',
          licenses: [{ type: 'MIT' }, { type: 'ISC' }],
        }),
        'usr/lib/python3/dist-packages/PyYAML_x-6.0.dist-info/METADATA':
          'Metadata-Version: 2.1\nName: PyYAML_x\nVersion: 6.0\nLicense: BSD License\n\nName: no\nVersion: no\n',
        'usr/lib/python3/dist-packages/six.egg-info': 'Name: six\nVersion: 1.16\nLicense: UNKNOWN\n',
      },
    ],
    { name: 'app:1' },
  )
  const { packages, unread } = await readPackages(store, 'app:1')
  expect(packages.map(({ purl, license, layer }) => [purl, license, layer])).toEqual([
    ['pkg:npm/%40s/scoped@2.0.0-a%2Bb', 'MIT OR ISC', 1],
    ['pkg:npm/plain@0.1.0', undefined, 0],
    ['pkg:npm/plain@1.0.0', 'MIT', 0],
    ['pkg:pypi/pyyaml-x@6.0', 'BSD License', 1],
    ['pkg:pypi/six@1.16', undefined, 1],
  ])
  expect(unread).toEqual([
    { path: 'app/node_modules/broken/package.json', reason: expect.stringMatching(/^not readable: /) },
  ])
})

test('what an upper layer removes is not there, hard links are, and nothing else is guessed', async () => {
  const manifest = (name: string) => JSON.stringify({ name, version: '1.0.0' })
  const lower = await writeLayer(store, [
    { path: 'node_modules/gone/package.json', type: 'file', content: manifest('gone') },
    { path: 'pool/package.json', type: 'file', content: manifest('pooled') },
    { path: 'var/lib/rpm/rpmdb.sqlite', type: 'file', content: 'SQLite' },
    { path: 'node_modules/big/package.json', type: 'file', content: ' '.repeat(1024 * 1024 + 1) },
  ])
  const upper = await writeLayer(store, [
    { path: 'node_modules/.wh.gone', type: 'file' },
    { path: 'node_modules/pooled/package.json', type: 'hardlink', linkname: 'pool/package.json' },
  ])
  const { descriptor } = await composeImage(store, { layers: [lower, upper] })
  const { packages, unread, os } = await readPackages(store, descriptor)
  expect(packages.map(({ name }) => name)).toEqual(['pooled'])
  expect(unread).toEqual([
    { path: 'node_modules/big/package.json', reason: '1048577 bytes are more than 1048576' },
    { path: 'var/lib/rpm/rpmdb.sqlite', reason: 'not readable: not a sqlite database' },
  ])
  expect(os).toBeUndefined()
})

test('a layer is decompressed as often for a hundred files that have other names first as for one', async () => {
  const entries = Array.from({ length: 100 }, (_, i) => [
    { path: `a/${i}`, type: 'file', content: JSON.stringify({ name: `p${i}`, version: '1.0.0' }) } as const,
    hardLink(`node_modules/p${i}/package.json`, `a/${i}`),
    hardLink(`other/node_modules/p${i}/package.json`, `a/${i}`),
  ])
  const large = [
    { path: 'a/large', type: 'file', content: ' '.repeat(1024 * 1024 + 1) } as const,
    hardLink('node_modules/large/package.json', 'a/large'),
  ]
  const layer = await writeLayer(store, [...entries.flat(), ...large])
  const { descriptor } = await composeImage(store, { layers: [layer] })
  let opened = 0
  const counting = {
    stat: store.stat.bind(store),
    references: store.references,
    derived: store.derived,
    read(...args: Parameters<Store['read']>) {
      if (args[0] === layer.descriptor.digest) opened++
      return store.read(...args)
    },
  }
  const { packages, unread } = await readPackages(counting, descriptor)
  expect(packages).toHaveLength(200)
  expect(new Set(packages.map(({ name }) => name)).size).toBe(100)
  expect(unread).toEqual([{ path: 'node_modules/large/package.json', reason: '1048577 bytes are more than 1048576' }])
  expect(opened).toBeLessThanOrEqual(2)
})

test('a package whose name or version would take long to compare is not listed, and it is said', async () => {
  const long = '1.'.repeat(3000)
  const path = 'var/lib/dpkg/status'
  const status = dpkg(['a', long], ['b', '1'], ['c', '1']).replace('Package: c\n', `Package: c\nSource: d (${long})\n`)
  const manifest = JSON.stringify({ name: 'm', version: long })
  await sampleImage(store, [{ [path]: status, 'node_modules/m/package.json': manifest }], { name: 'app:1' })
  const { packages, unread } = await readPackages(store, 'app:1')
  expect(packages.map(({ name }) => name)).toEqual(['b'])
  const reason = 'a package has a name or version of more than 4096 characters'
  expect(unread).toEqual([path, path, 'node_modules/m/package.json'].sort().map(each => ({ path: each, reason })))
})

test('documents have nothing of an image but its packages: no variable, no user of an address, no option of a build', async () => {
  const canary = 'c4n4ry-0f-a-t0ken'
  const address = `git+https://user:${canary}@example.org/x.git`
  const json = (value: object) => JSON.stringify(value)
  await sampleImage(
    store,
    [
      {
        'one/package-lock.json': json({ dependencies: { first: { version: `${address}#1`, resolved: address } } }),
        'three/package-lock.json': json({
          packages: { 'node_modules/third': { version: '3.0.0', resolved: `${address}#2`, integrity: canary } },
        }),
        'app/node_modules/installed/package.json': json({
          name: 'installed',
          version: '1.0.0',
          repository: address,
          _resolved: address,
          config: { token: canary },
        }),
        'app/.npmrc': `//registry.example.org/:_authToken=${canary}\n`,
        'var/lib/dpkg/status': `${dpkg(['deb', '1'])}Homepage: ${address}\n`,
        'etc/os-release': `${debian}TOKEN=${canary}\n`,
      },
    ],
    { name: 'app:1', config: { Env: [`TOKEN=${canary}`], Labels: { token: canary }, Cmd: [canary] } },
  )
  const list = await readPackages(store, 'app:1')
  expect(list.packages.map(({ name }) => name)).toEqual(['deb', 'first', 'installed', 'third'])
  const documents = [list, toSpdx(list, { name: 'app:1' }), toCycloneDx(list, { name: 'app:1' })].map(json)
  for (const document of documents) expect(document).not.toContain(canary)
})

test('a name of a stranger with half a character makes a package URL', async () => {
  const content = '{"name":"\\ud800","version":"1"}'
  await sampleImage(store, [{ 'node_modules/x/package.json': content }], { name: 'app:1' })
  expect((await readPackages(store, 'app:1')).packages[0]!.purl).toBe('pkg:npm/%EF%BF%BD@1')
})

test.skipIf(!needsProgram('dpkg-query'))('the packages of this machine are those that dpkg lists', async () => {
  const status = readFileSync('/var/lib/dpkg/status')
  await sampleImage(store, [{ 'var/lib/dpkg/status': status }], { name: 'app:1' })
  const fields = ['db:Status-Status', 'Package', 'Version', 'Architecture'].map(field => `\${${field}}`)
  const listed = execFileSync('dpkg-query', ['-W', '-f', `${fields.join(' ')}\n`], { encoding: 'utf8' }).split('\n')
  const { packages } = await readPackages(store, 'app:1')
  expect(
    packages.map(({ name, version, architecture }) => `installed ${name} ${version} ${architecture}`).sort(),
  ).toEqual(listed.filter(line => line.startsWith('installed ')).sort())
  expect(packages.length).toBeGreaterThan(50)
})

const PACKAGES = '/usr/lib/python3/dist-packages'
test.skipIf(![needsProgram('pip3'), needs(existsSync(`${PACKAGES}/pip`), 'no pip of Debian')].every(Boolean))(
  'the packages of Python of this machine are those that pip lists',
  async () => {
    const files = readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' })
      .filter(name => /(?:\.dist-info\/METADATA|\.egg-info(?:\/PKG-INFO)?)$/.test(name))
      .map(name => join(PACKAGES, name))
      .filter(path => statSync(path).isFile())
    await sampleImage(store, [Object.fromEntries(files.map(path => [path.slice(1), readFileSync(path)]))], {
      name: 'app:1',
    })
    const args = ['-m', 'pip', 'list', '--format=json', '--disable-pip-version-check', `--path=${PACKAGES}`]
    const listed: { name: string; version: string }[] = JSON.parse(
      execFileSync('/usr/bin/python3', args, { encoding: 'utf8' }),
    )
    const named = (all: readonly { name: string; version: string }[]) => [
      ...new Set(all.map(({ name, version }) => `${name}@${version}`)),
    ]
    expect(named((await readPackages(store, 'app:1')).packages).sort()).toEqual(named(listed).sort())
  },
)

test('the packages of this project are those that npm has recorded', async () => {
  const root = join(import.meta.dirname, '../..')
  const files = readdirSync(join(root, 'node_modules'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('package.json'))
    .map(name => [`node_modules/${name}`, readFileSync(join(root, 'node_modules', name))] as const)
  await sampleImage(store, [Object.fromEntries(files)], { name: 'app:1' })
  const record = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8'))
  const { packages } = await readPackages(store, 'app:1')
  expect(packages.map(({ path, version }) => [path, version]).sort()).toEqual(
    Object.entries<{ version: string }>(record.packages)
      .filter(([path]) => existsSync(join(root, path)))
      .map(([path, { version }]) => [`${path}/package.json`, version])
      .sort(),
  )
})
