import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseDigest } from '../../lib/digest/index.ts'
import { compareApk } from '../../lib/trust/advisories/compare-apk.ts'
import { compareDeb } from '../../lib/trust/advisories/compare-deb.ts'
import { comparePep440 } from '../../lib/trust/advisories/compare-pep440.ts'
import { compareRpm } from '../../lib/trust/advisories/compare-rpm.ts'
import { compareSemver } from '../../lib/trust/advisories/compare-semver.ts'
import { cvssScore } from '../../lib/trust/advisories/cvss-score.ts'
import { parseAdvisory } from '../../lib/trust/advisories/parse-advisory.ts'
import {
  type Advisory,
  type FoundPackage,
  matchAdvisories,
  type PackageList,
  type PackageType,
  readAdvisories,
  uncheckedPackages,
} from '../../lib/trust/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const debs = '0~~ 0~ 0 0-1 0a 0.1~rc1 0.1 0.1-1~bpo1 0.1-1 0.1-1+b1 0.1-1.1 0.9 0.10 1.0a 1.0+x 1.0.1 1:0 1:0.0-1 2:1'
const apks =
  '0.9 1.0_alpha 1.0_alpha2 1.0_beta 1.0_pre1 1.0_rc1 1.0 1.0-r1 1.0-r10 1.0_git20200101 1.0_p1 1.0_p1-r1 1.0a 1.0.01 1.0.1 1.2 1.10 2'
const rpms =
  'a.1-1 1.0~rc1~git1-1 1.0~rc1-1 1.0~rc2-1 1.0 1.0-1 1.0-1.el9 1.0-1.el9_2 1.0-1.el9_10 1.0-2 1.0^ 1.0^git1~x-1 1.0^git1-1 1.0^git1^2 1.0^git2-1 1.0^2024-1 1.0a-1 1.0aa-1 1.0b1-1 1.0.1-1 1.2-1 1.10-1 2-1 1:0.1-1 2:0-0'
const semvers =
  '0.0.1 1.0.0-0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 v1.0.1 1.2.0 1.10.0 1.22rc1 1.22'
const peps =
  '1.0.dev1 1.0a1.dev2 1.0a1 1.0a1.post1 1.0b1 1.0rc1.dev1 1.0rc1 1.0 1.0+abc 1.0+abc.5 1.0+5 1.0.post1.dev1 1.0.post1 1.0-2 1.1.dev0 1.1 1.10 1!0.5'

describe.each([
  ['dpkg', compareDeb, debs],
  ['apk', compareApk, apks],
  ['rpm', compareRpm, rpms],
  ['npm and Go', compareSemver, semvers],
  ['PyPI', comparePep440, peps],
])('versions of %s', (_name, compare, text) => {
  test('have the order of the table, whichever is first', () => {
    const versions = text.split(' ')
    for (const [i, a] of versions.entries()) {
      const signs = versions.map(b => Math.sign(compare(a, b)))
      expect([a, signs]).toEqual([a, versions.map((_, j) => Math.sign(i - j))])
    }
  })
})

test.each([
  [compareDeb, '1.0', '0:1.00'],
  [compareDeb, '1', '1-'],
  [compareRpm, '1.0-1', '0:1.0-1'],
  [compareRpm, '10.0001_1', '10.1.01'],
  [compareRpm, 'a+', '_a'],
  [compareSemver, 'v1.0.0+a', '1'],
  [comparePep440, '1.0.0-ALPHA_1', 'v1a1'],
  [comparePep440, '1.0', '1'],
])('two spellings of one version are equal: %#', (compare, a, b) => {
  expect(compare(a, b)).toBe(0)
})

test('versions of no form are compared as text', () => {
  for (const compare of [compareApk, comparePep440]) {
    expect([compare('x', 'y'), compare('y', 'x'), compare('x', 'x')]).toEqual([-1, 1, 0])
  }
})

test.skipIf(!needsProgram('dpkg'))('the order of dpkg is that of dpkg --compare-versions', () => {
  const versions = debs.split(' ').filter((_, i) => i % 2 === 0)
  for (const a of versions)
    for (const b of versions) {
      const isLess = spawnSync('dpkg', ['--compare-versions', a, 'lt', b]).status === 0
      expect([a, b, compareDeb(a, b) < 0]).toEqual([a, b, isLess])
    }
})

test.skipIf(!needsProgram('rpm'))('the order of rpm is that of rpm.vercmp', () => {
  // Those of the last two lines are versions that the tests of rpm compare.
  const versions = [
    ...rpms.split(' '),
    ...'2.0.1 2.0.1a 5.5p1 5.5p2 5.5p10 10xyz 10.1xyz xyz10 xyz10.1 xyz.4 8 2 6.5p1 6.0.rc1 6.0 10b2 10a1 1.0aa'.split(
      ' ',
    ),
    ...'10.0001 10.1 10.0039 4.999.9 5.0 20101121 2_0 2.0 a a+ a_ +a _a +_ _+ 1b.fc17 1.fc17 1g.fc17 1.1~1^2 ^1'.split(
      ' ',
    ),
  ]
  const list = versions.map(version => JSON.stringify(version)).join(',')
  const lua = `local v = {${list}} for i = 1, #v do for j = 1, #v do print(rpm.vercmp(v[i], v[j]) .. ' ') end end`
  const printed = execFileSync('rpm', ['--eval', `%{lua: ${lua}}`], { encoding: 'utf8' })
    .trim()
    .split(' ')
  const pairs = versions.flatMap(a => versions.map(b => [a, b] as const))
  const ours = pairs.map(([a, b]) => String(Math.sign(compareRpm(a, b))))
  expect(pairs.filter((_, i) => ours[i] !== printed[i])).toEqual([])
  expect(printed).toHaveLength(pairs.length)
})

test.each([
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
  ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
  ['CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N', 4.7],
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
  ['CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N', 0],
  ['CVSS:3.1/AV:N', undefined],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', undefined],
])('the base score of %s is %s', (vector, score) => {
  expect(cvssScore(vector)).toBe(score)
})

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const found = (type: PackageType, name: string, version: string, more: Partial<FoundPackage> = {}): FoundPackage => ({
  type,
  name,
  version,
  purl: `pkg:${type}/${name}@${version}`,
  path: 'x',
  layer: 0,
  diffId: digest,
  ...more,
})
const listOf = (os: PackageList['os'], ...packages: FoundPackage[]): PackageList => ({
  version: 1,
  digest,
  packages,
  unread: [],
  ...(os ? { os } : {}),
})
const advisory = (ecosystem: string, name: string, affected: object, more: object = {}): Advisory =>
  parseAdvisory({ id: 'A-1', affected: [{ package: { ecosystem, name }, ...affected }], ...more })!
const range = (...events: object[]) => ({
  ranges: [
    { type: 'ECOSYSTEM', events },
    { type: 'GIT', events: [{ introduced: '0' }] },
  ],
})
const matched = async (list: PackageList, ...advisories: Advisory[]) =>
  (await matchAdvisories(list, advisories)).map(({ package: { version } }) => version)

test('a version is affected within ranges, at each of their ends, and if it is listed', async () => {
  const list = listOf(
    undefined,
    ...['0.9.0', '1.0.0', '1.5.0', '2.0.0', '2.5.0', '3.0.0', '3.0.1', '9.0.0'].map(v => found('npm', 'a', v)),
  )
  const events = range({ introduced: '2.5.0' }, { last_affected: '3.0.0' }, { fixed: '2.0.0' }, { introduced: '1.0.0' })
  expect(await matched(list, advisory('npm', 'a', { ...events, versions: ['9.0.0'] }))).toEqual([
    '1.0.0',
    '1.5.0',
    '2.5.0',
    '3.0.0',
    '9.0.0',
  ])
  expect(await matched(list, advisory('npm', 'a', range({ introduced: '0' }, { fixed: '1.0.0' })))).toEqual(['0.9.0'])
  expect(await matched(list, advisory('npm', 'b', range({ introduced: '0' })))).toEqual([])
  expect(await matched(list, advisory('PyPI', 'a', range({ introduced: '0' })))).toEqual([])
})

test('a range of one version is one, in whichever order its events are', async () => {
  const list = listOf(undefined, ...['1.0.0', '1.0.1'].map(v => found('npm', 'a', v)))
  for (const events of [
    [{ introduced: '1.0.0' }, { last_affected: '1.0.0' }],
    [{ last_affected: '1.0.0' }, { introduced: '1.0.0' }],
  ])
    expect(await matched(list, advisory('npm', 'a', range(...events)))).toEqual(['1.0.0'])
})

test('release candidates of Go, which have no dash, are those of the advisories', async () => {
  const list = listOf(undefined, ...['v1.22rc1', 'v1.22rc10', 'v1.22'].map(v => found('golang', 'stdlib', v)))
  const events = range({ introduced: '1.22.0-rc.1' }, { fixed: '1.22.0-rc.2' })
  expect(await matched(list, advisory('Go', 'stdlib', events))).toEqual(['v1.22rc1'])
})

test('packages are matched by the names and releases of their ecosystems', async () => {
  const all = range({ introduced: '0' })
  const source = { name: 'glibc', version: '2.36-9' }
  const libc = found('deb', 'libc6', '2.36-9+b1', { source })
  const debian = listOf({ id: 'debian', version: '12' }, libc)
  const ubuntu = listOf({ id: 'ubuntu', version: '22.04' }, found('deb', 'bash', '5'))
  const alpine = listOf({ id: 'alpine', version: '3.20.1' }, found('apk', 'musl', '1'))
  for (const [list, ecosystem, name, count] of [
    [debian, 'Debian:12', 'glibc', 1],
    [debian, 'Debian', 'glibc', 1],
    [debian, 'Debian:11', 'glibc', 0],
    [debian, 'Debian:12', 'libc6', 0],
    [debian, 'Ubuntu:22.04', 'glibc', 0],
    [ubuntu, 'Ubuntu:22.04:LTS', 'bash', 1],
    [ubuntu, 'Ubuntu:24.04:LTS', 'bash', 0],
    [alpine, 'Alpine:v3.20', 'musl', 1],
    [alpine, 'Alpine:v3.2', 'musl', 0],
    [alpine, 'Alpine', 'musl', 1],
    [listOf(undefined, found('golang', 'm.test/x', 'v1.2.3')), 'Go', 'm.test/x', 1],
    [listOf(undefined, found('pypi', 'Py_YAML', '1')), 'PyPI', 'py-yaml', 1],
    [listOf(undefined, found('maven', 'g:a', '1')), 'Maven', 'g:a', 0],
  ] as const) {
    expect([ecosystem, await matched(list, advisory(ecosystem, name, all))]).toEqual([
      ecosystem,
      list.packages.slice(0, count).map(({ version }) => version),
    ])
  }
  const jar = listOf(undefined, found('maven', 'g:a', '1'))
  expect(await matched(jar, advisory('Maven', 'g:a', { versions: ['1'] }))).toEqual(['1'])
  // The version that counts is that of the source package.
  expect(
    await matched(debian, advisory('Debian:12', 'glibc', range({ introduced: '0' }, { fixed: '2.36-9+a' }))),
  ).toHaveLength(1)
})

test.each([
  ['AlmaLinux:9', 'almalinux 9.4', true],
  ['AlmaLinux', 'almalinux 9.4', true],
  ['AlmaLinux:8', 'almalinux 9.4', false],
  ['Rocky Linux:9', 'rocky 9.4', true],
  ['Rocky Linux:9', 'almalinux 9.4', false],
  ['Rocky Linux:9', 'rocky', false],
  ['Red Hat', 'rhel 9.4', true],
  ['Red Hat:enterprise_linux:9::baseos', 'rhel 9.4', true],
  ['Red Hat:enterprise_linux:10.0', 'rhel 10.1', true],
  ['Red Hat:enterprise_linux:8::baseos', 'rhel 9.4', false],
  ['Red Hat:rhel_eus:9.4::appstream', 'rhel 9.4', true],
  ['Red Hat:rhel_eus:9.2::appstream', 'rhel 9.4', false],
  ['Red Hat:rhel_els:7', 'rhel 7.9', true],
  ['Red Hat:rhel_els:6', 'rhel 7.9', false],
  ['Red Hat:rhel_software_collections:3::el7', 'rhel 7.9', false],
  ['Red Hat:openshift:4.12::el9', 'rhel 9.4', false],
  ['Red Hat:enterprise_linux:9::baseos', 'centos 9', false],
  ['openSUSE:Leap 15.6', 'opensuse-leap 15.6 openSUSE Leap 15.6', true],
  ['openSUSE:Leap 15.6 NonFree', 'opensuse-leap 15.6 openSUSE Leap 15.6', true],
  ['openSUSE:Leap 15.5', 'opensuse-leap 15.6 openSUSE Leap 15.6', false],
  ['openSUSE:Tumbleweed', 'opensuse-tumbleweed 20261101 openSUSE Tumbleweed', true],
  ['openSUSE', 'opensuse-leap 15.6', true],
  ['SUSE:Linux Enterprise Server 15 SP5-LTSS', 'sles 15.5', true],
  ['SUSE:Linux Enterprise Module for Python 3 15 SP5', 'sles 15.5', true],
  ['SUSE:Linux Enterprise Server 16.0', 'sles 16.0', true],
  ['SUSE:Linux Enterprise Server 15', 'sles 15', true],
  ['SUSE:Linux Enterprise Server 15', 'sles 15.5', false],
  ['SUSE:Linux Enterprise Module for Containers 12', 'sles 12.5', true],
  ['SUSE:Linux Enterprise Module for Containers 12', 'sles 15.5', false],
  ['SUSE:Linux Enterprise Module for Basesystem 15 SP4', 'sles 15.5', false],
  ['SUSE:Linux Enterprise Server 15 SP4', 'sles 15.5', false],
  ['SUSE:Linux Enterprise Micro 5.5', 'sles 15.5', false],
  ['SUSE', 'sles 15.5', true],
  ['SUSE:Linux Enterprise Server 15 SP6', 'opensuse-leap 15.6', false],
  ['Debian:12', 'rhel 12', false],
])('advisories of %s are about packages of rpm in %s: %s', async (ecosystem, system, isAbout) => {
  const [id = '', version, ...name] = system.split(' ')
  const os = { id, ...(version ? { version } : {}), ...(name.length > 0 ? { name: name.join(' ') } : {}) }
  const list = listOf(os, found('rpm', 'bash', '5.1-1'))
  expect(await matched(list, advisory(ecosystem, 'bash', range({ introduced: '0' }, { fixed: '5.1-2' })))).toEqual(
    isAbout ? ['5.1-1'] : [],
  )
  expect(uncheckedPackages(list, ['npm', ecosystem])).toEqual(isAbout ? [] : list.packages)
})

test('a package of rpm is found by its own name and by that of its source, whose epoch may be unknown', async () => {
  const of = (version: string) => ({ source: { name: 'perl', version } })
  const list = listOf(
    { id: 'almalinux', version: '9.4' },
    found('rpm', 'perl-libs', '4:5.32-1.el9', of('4:5.32-1.el9')),
    found('rpm', 'perl-Errno', '1.30-1.el9', of('5.32-1.el9')),
    found('rpm', 'perl-Carp', '1.50-1.el9'),
  )
  const fixed = (name: string, version: string) =>
    matched(list, advisory('AlmaLinux:9', name, range({ introduced: '0' }, { fixed: version })))
  expect(await fixed('perl', '4:5.32-2.el9')).toEqual(['1.30-1.el9', '4:5.32-1.el9'])
  expect(await fixed('perl', '4:5.32-1.el9')).toEqual([])
  // The same version without the epoch is of an earlier package.
  expect(await fixed('perl', '5.32-2.el9')).toEqual(['1.30-1.el9'])
  expect(await fixed('perl-libs', '4:5.32-2.el9')).toEqual(['4:5.32-1.el9'])
  expect(await fixed('perl-Carp', '0:1.50-2.el9')).toEqual(['1.50-1.el9'])
})

test('severity is that of CVSS 3, else the word of the database', () => {
  const severity = (affected: object, more: object) => advisory('npm', 'a', affected, more).affected[0]!.severity
  const score = (vector: string, type = 'CVSS_V3') => ({ severity: [{ type, score: vector }] })
  const words = { database_specific: { severity: 'MODERATE' } }
  expect(severity({}, { ...score('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'), ...words })).toBe('critical')
  expect(severity({}, score('CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N'))).toBe('medium')
  expect(severity({}, score('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N'))).toBe('high')
  expect(severity({}, score('CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N'))).toBe('low')
  expect(severity({}, { ...score('CVSS:4.0/x', 'CVSS_V4'), ...words })).toBe('medium')
  expect(severity({}, score('high', 'Ubuntu'))).toBe('high')
  expect(severity({ ecosystem_specific: { urgency: 'low' } }, {})).toBe('low')
  expect(severity({}, {})).toBe('unknown')
})

describe('a VEX document', () => {
  const list = listOf(undefined, found('npm', 'a', '1.0.0'), found('npm', '@s/b', '1.0.0'))
  const both = [
    advisory('npm', 'a', range({ introduced: '0' }), { aliases: ['CVE-1'] }),
    advisory('npm', '@s/b', range({ introduced: '0' })),
  ]
  const cleared = async (...documents: object[]) => {
    const matches = await matchAdvisories(list, both, { vex: documents.map(document => JSON.stringify(document)) })
    return matches.flatMap(({ isSuppressed, package: { name } }) => (isSuppressed ? [name] : []))
  }
  const open = (...statements: object[]) => ({ '@context': 'https://openvex.dev/ns/v0.2.0', statements })
  const not = { status: 'not_affected' }

  test('of OpenVEX clears packages by package URL, image and subcomponent; the last statement counts', async () => {
    expect(
      await cleared(open({ ...not, vulnerability: { name: 'CVE-1' }, products: [{ '@id': 'pkg:npm/a@1.0.0?x=y' }] })),
    ).toEqual(['a'])
    expect(await cleared(open({ ...not, vulnerability: 'A-1', products: ['pkg:npm/@s/b'] }))).toEqual(['@s/b'])
    expect(
      await cleared(
        open({ ...not, vulnerability: 'A-1', products: [{ '@id': `pkg:oci/x@${encodeURIComponent(digest)}` }] }),
      ),
    ).toEqual(['@s/b', 'a'])
    const inner = { '@id': `pkg:oci/x@${digest}`, subcomponents: [{ identifiers: { purl: 'pkg:npm/a@1.0.0' } }] }
    expect(await cleared(open({ status: 'fixed', vulnerability: { aliases: ['A-1'] }, products: [inner] }))).toEqual([
      'a',
    ])
    expect(await cleared(open({ ...not, vulnerability: 'A-1', products: ['pkg:npm/a@2.0.0'] }))).toEqual([])
    expect(await cleared(open({ ...not, vulnerability: 'B-1', products: ['pkg:npm/a'] }))).toEqual([])
    const affected = { status: 'affected', vulnerability: 'A-1', products: ['pkg:npm/a'] }
    expect(await cleared(open({ ...affected, ...not }, affected))).toEqual([])
  })

  test('clears an advisory about several vulnerabilities only if each of them is cleared', async () => {
    const several = advisory('npm', 'a', range({ introduced: '0' }), { upstream: ['CVE-7', 'CVE-8'] })
    const statement = (vulnerability: string) => ({ ...not, vulnerability, products: ['pkg:npm/a'] })
    const isCleared = async (...ids: string[]) => {
      const vex = [JSON.stringify(open(...ids.map(statement)))]
      return (await matchAdvisories(list, [several], { vex })).map(({ isSuppressed }) => isSuppressed)
    }
    expect(await isCleared('CVE-7')).toEqual([false])
    expect(await isCleared('CVE-7', 'CVE-8')).toEqual([true])
    expect(await isCleared('A-1')).toEqual([true])
  })

  test('about packages in another image clears nothing', async () => {
    const inner = (image: string) => ({ '@id': image, subcomponents: ['pkg:npm/a', { '@id': 'pkg:npm/a@1.0.0' }] })
    const of = (image: string) => cleared(open({ ...not, vulnerability: 'A-1', products: [inner(image)] }))
    expect(await of(`pkg:oci/x@sha256:${'b'.repeat(64)}`)).toEqual([])
    expect(await of(`pkg:oci/x@sha256%3A${'b'.repeat(64)}?arch=amd64`)).toEqual([])
    expect(await of(`pkg:oci/x@${encodeURIComponent(digest)}`)).toEqual(['a'])
    expect(await of('pkg:oci/x')).toEqual(['a'])
  })

  test('of CycloneDX clears packages by references', async () => {
    const bom = (ref: string, state = 'not_affected') => ({
      bomFormat: 'CycloneDX',
      components: [{ 'bom-ref': 'r', purl: 'pkg:npm/a@1.0.0' }],
      vulnerabilities: [{ id: 'CVE-1', references: [{ id: 'A-1' }], analysis: { state }, affects: [{ ref }] }],
    })
    expect(await cleared(bom('r'))).toEqual(['a'])
    expect(await cleared(bom('pkg:npm/@s/b@1.0.0', 'resolved'))).toEqual(['@s/b'])
    expect(await cleared(bom('urn:cdx:1/1#pkg%3Anpm%2Fa%401.0.0'))).toEqual(['a'])
    expect(await cleared(bom('100%'), bom('r', 'exploitable'))).toEqual([])
  })

  test('of another form is refused', async () => {
    expect((await thrownBy(() => cleared({}))).message).toBe('neither OpenVEX nor CycloneDX')
  })
})

describe('a directory of advisories', () => {
  let place: ReturnType<typeof temporaryDirectory>
  beforeEach(() => {
    place = temporaryDirectory('osv')
  })
  afterEach(() => place[Symbol.dispose]())
  const write = (name: string, value: unknown) => {
    mkdirSync(join(place.path, 'npm'), { recursive: true })
    writeFileSync(join(place.path, name), typeof value === 'string' ? value : JSON.stringify(value))
  }
  const ids = async () => {
    const all: string[] = []
    for await (const { id } of readAdvisories(place.path)) all.push(id)
    return all
  }

  test('is read file by file, without those that were withdrawn', async () => {
    write('npm/B.json', { id: 'B', affected: [{ package: 'x' }, null, { package: { name: 1 } }] })
    write('A.json', { id: 'A', summary: 's', aliases: [1] })
    write('W.json', { id: 'W', withdrawn: '2024-01-01T00:00:00Z' })
    write('list.json', [])
    write('readme.txt', 'x')
    expect(await ids()).toEqual(['A', 'B'])
  })

  test('is no empty list if it is missing, broken or huge', async () => {
    write('A.json', '{')
    expect(await thrownBy(ids)).toMatchObject({ code: 'ERR_SOURCE_READ', path: join(place.path, 'A.json') })
    write('A.json', `"${' '.repeat(16 * 1024 * 1024)}"`)
    expect((await thrownBy(ids)).message).toContain('more than 16777216')
    rmSync(join(place.path, 'A.json'))
    write('all.zip', 'x')
    expect((await thrownBy(ids)).message).toContain('no .json file')
    const missing = async () => void (await readAdvisories(join(place.path, 'none')).next())
    expect(await thrownBy(missing)).toMatchObject({ code: 'ERR_SOURCE_NOT_FOUND' })
  })
})
