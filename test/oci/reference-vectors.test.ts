import { describe, expect, test } from 'vitest'
import { familiarName, formatReference, parseReference } from '../../lib/oci/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/* The test vectors of distribution/reference (reference, normalize and regexp tests), for `parseReference`. */

const f64 = 'f'.repeat(64)
const sha = `sha256:${f64}`
const id = '1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a'
const a127 = 'a/'.repeat(127)

/** Input, registry, path, and tag and digest if it has them. */
const accepted: [text: string, registry: string, repository: string, tag?: string | undefined, digest?: string][] = [
  // reference: parsing
  ['test_com', 'docker.io', 'library/test_com'],
  ['test.com:tag', 'docker.io', 'library/test.com', 'tag'],
  ['test.com:5000', 'docker.io', 'library/test.com', '5000'],
  ['test.com/repo:tag', 'test.com', 'repo', 'tag'],
  ['test:5000/repo', 'test:5000', 'repo'],
  ['test:5000/repo:tag', 'test:5000', 'repo', 'tag'],
  [`test:5000/repo@${sha}`, 'test:5000', 'repo', undefined, sha],
  [`test:5000/repo:tag@${sha}`, 'test:5000', 'repo', 'tag', sha],
  ['lowercase:Uppercase', 'docker.io', 'library/lowercase', 'Uppercase'],
  [`${a127}a:tag-puts-this-over-max`, 'docker.io', `${a127}a`, 'tag-puts-this-over-max'],
  ['sub-dom1.foo.com/bar/baz/quux', 'sub-dom1.foo.com', 'bar/baz/quux'],
  ['sub-dom1.foo.com/bar/baz/quux:some-long-tag', 'sub-dom1.foo.com', 'bar/baz/quux', 'some-long-tag'],
  ['b.gcr.io/test.example.com/my-app:test.example.com', 'b.gcr.io', 'test.example.com/my-app', 'test.example.com'],
  ['xn--n3h.com/myimage:xn--n3h.com', 'xn--n3h.com', 'myimage', 'xn--n3h.com'],
  [
    `xn--7o8h.com/myimage:xn--7o8h.com@sha512:${f64}${f64}`,
    ...(['xn--7o8h.com', 'myimage', 'xn--7o8h.com', `sha512:${f64}${f64}`] as const),
  ],
  ['foo_bar.com:8080', 'docker.io', 'library/foo_bar.com', '8080'],
  ['foo/foo_bar.com:8080', 'docker.io', 'foo/foo_bar.com', '8080'],
  ['192.168.1.1', 'docker.io', 'library/192.168.1.1'],
  ['192.168.1.1:tag', 'docker.io', 'library/192.168.1.1', 'tag'],
  ['192.168.1.1:5000', 'docker.io', 'library/192.168.1.1', '5000'],
  ['192.168.1.1/repo', '192.168.1.1', 'repo'],
  ['192.168.1.1:5000/repo', '192.168.1.1:5000', 'repo'],
  ['192.168.1.1:5000/repo:5050', '192.168.1.1:5000', 'repo', '5050'],
  ['[2001:db8::1]/repo', '[2001:db8::1]', 'repo'],
  ['[2001:db8:1:2:3:4:5:6]/repo:tag', '[2001:db8:1:2:3:4:5:6]', 'repo', 'tag'],
  ['[2001:db8::1]:5000/repo', '[2001:db8::1]:5000', 'repo'],
  ['[2001:db8::1]:5000/repo:tag', '[2001:db8::1]:5000', 'repo', 'tag'],
  [`[2001:db8::1]:5000/repo@${sha}`, '[2001:db8::1]:5000', 'repo', undefined, sha],
  [`[2001:db8::1]:5000/repo:tag@${sha}`, '[2001:db8::1]:5000', 'repo', 'tag', sha],
  ['[2001:db8::]:5000/repo', '[2001:db8::]:5000', 'repo'],
  ['[::1]:5000/repo', '[::1]:5000', 'repo'],
  // reference: host and path
  ['test.com/foo', 'test.com', 'foo'],
  ['test_com/foo', 'docker.io', 'test_com/foo'],
  ['test:8080/foo', 'test:8080', 'foo'],
  ['test.com:8080/foo', 'test.com:8080', 'foo'],
  ['test-com:8080/foo', 'test-com:8080', 'foo'],
  ['xn--n3h.com:18080/foo', 'xn--n3h.com:18080', 'foo'],
  ['example.com:8000/named:tagged', 'example.com:8000', 'named', 'tagged'],
  // normalize: names that are valid
  ['docker/docker', 'docker.io', 'docker/docker'],
  ['library/debian', 'docker.io', 'library/debian'],
  ['debian', 'docker.io', 'library/debian'],
  ['docker.io/docker/docker', 'docker.io', 'docker/docker'],
  ['docker.io/library/debian', 'docker.io', 'library/debian'],
  ['docker.io/debian', 'docker.io', 'library/debian'],
  ['index.docker.io/docker/docker', 'docker.io', 'docker/docker'],
  ['index.docker.io/library/debian', 'docker.io', 'library/debian'],
  ['index.docker.io/debian', 'docker.io', 'library/debian'],
  ['127.0.0.1:5000/docker/docker', '127.0.0.1:5000', 'docker/docker'],
  ['127.0.0.1:5000/library/debian', '127.0.0.1:5000', 'library/debian'],
  ['127.0.0.1:5000/debian', '127.0.0.1:5000', 'debian'],
  ['192.168.0.1', 'docker.io', 'library/192.168.0.1'],
  ['192.168.0.1:80', 'docker.io', 'library/192.168.0.1', '80'],
  ['192.168.0.1:8/debian', '192.168.0.1:8', 'debian'],
  ['192.168.0.2:25000/debian', '192.168.0.2:25000', 'debian'],
  [
    'thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev',
    'docker.io',
    'library/thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev',
  ],
  ['[fc00::1]:5000/docker', '[fc00::1]:5000', 'docker'],
  ['[fc00::1]:5000/docker/docker', '[fc00::1]:5000', 'docker/docker'],
  ['[fc00:1:2:3:4:5:6:7]:5000/library/debian', '[fc00:1:2:3:4:5:6:7]:5000', 'library/debian'],
  [`docker.io/${id}`, 'docker.io', `library/${id}`],
  ['Docker/docker', 'Docker', 'docker'],
  ['DOCKER/docker', 'DOCKER', 'docker'],
  ['docker-rules/docker', 'docker.io', 'docker-rules/docker'],
  ['docker---rules/docker', 'docker.io', 'docker---rules/docker'],
  ['d/docker', 'docker.io', 'd/docker'],
  ['jess/t', 'docker.io', 'jess/t'],
  ['dock__er/docker', 'docker.io', 'dock__er/docker'],
  // normalize: any reference
  ['redis:latest', 'docker.io', 'library/redis', 'latest'],
  [`redis@${sha}`, 'docker.io', 'library/redis', undefined, sha],
  [`docker.io/library/redis@${sha}`, 'docker.io', 'library/redis', undefined, sha],
  ['docker.io/mcgowan/myapp:latest', 'docker.io', 'mcgowan/myapp', 'latest'],
  [`dmcgowan/myapp@${sha}`, 'docker.io', 'dmcgowan/myapp', undefined, sha],
  [id.slice(1), 'docker.io', `library/${id.slice(1)}`],
  ['dbcc1', 'docker.io', 'library/dbcc1'],
  [`busybox:latest@${sha}`, 'docker.io', 'library/busybox', 'latest', sha],
  ['docker/migrator', 'docker.io', 'docker/migrator'],
  ['docker.io/library/foo/bar', 'docker.io', 'library/foo/bar'],
  // regexp: hosts
  ...[
    ...[
      'test.com',
      'test.com:10304',
      'localhost',
      'localhost:8080',
      'a.b',
      'ab.cd.com',
      'a-b.com',
      'ab.c-om',
      '0101.com',
    ],
    ...['001a.com', 'b.gbc.io:443', 'b.gbc.io', 'xn--n3h.com', 'Asdf.com', '192.168.1.1:75050', '192.168.1.1:750050'],
    ...['[fd00:1:2::3]:75050', '[fd00123123123]:75050', '[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:75050'],
    ...['[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:750505'],
  ].map((host): [string, string, string] => [`${host}/x`, host, 'x']),
  // regexp: names
  ['short', 'docker.io', 'library/short'],
  ['simple/name', 'docker.io', 'simple/name'],
  ['docker/stevvooe/app', 'docker.io', 'docker/stevvooe/app'],
  ['aa/aa/aa/aa/aa/aa/aa/aa/aa/bb/bb/bb/bb/bb/bb', 'docker.io', 'aa/aa/aa/aa/aa/aa/aa/aa/aa/bb/bb/bb/bb/bb/bb'],
  ['a', 'docker.io', 'library/a'],
  ['a/aa/a', 'docker.io', 'a/aa/a'],
  ['foo.com', 'docker.io', 'library/foo.com'],
  ['foo.com:8080/bar', 'foo.com:8080', 'bar'],
  ['localhost:8080/bar', 'localhost:8080', 'bar'],
  ['blog.foo.com/bar/baz', 'blog.foo.com', 'bar/baz'],
  ['aa-a/a', 'docker.io', 'aa-a/a'],
  ['foo_bar', 'docker.io', 'library/foo_bar'],
  ['foo_bar.com', 'docker.io', 'library/foo_bar.com'],
  ['foo.com/foo_bar', 'foo.com', 'foo_bar'],
  ['example.com/xn--7o8h.com/myimage', 'example.com', 'xn--7o8h.com/myimage'],
  ['example.com/some_separator__underscore/myimage', 'example.com', 'some_separator__underscore/myimage'],
  ['do__cker/docker', 'docker.io', 'do__cker/docker'],
  [
    'registry.io/foo/project--id.module--name.ver---sion--name',
    'registry.io',
    'foo/project--id.module--name.ver---sion--name',
  ],
  ['Asdf.com/foo/bar', 'Asdf.com', 'foo/bar'],
  // regexp: references
  ['registry.com:8080/myapp:tag', 'registry.com:8080', 'myapp', 'tag'],
  [`registry.com:8080/myapp@${sha}`, 'registry.com:8080', 'myapp', undefined, sha],
  [`registry.com:8080/myapp:tag2@${sha}`, 'registry.com:8080', 'myapp', 'tag2', sha],
  [`localhost:8080@${sha}`, 'docker.io', 'library/localhost', '8080', sha],
  [`localhost:8080/name@${sha}`, 'localhost:8080', 'name', undefined, sha],
  [`localhost@${sha}`, 'docker.io', 'library/localhost', undefined, sha],
]

describe('parseReference accepts as distribution/reference does', () => {
  test.each(accepted)('%s', (text, registry, repository, tag, digest) => {
    const implied = tag === undefined && digest === undefined ? 'latest' : tag
    const parsed = parseReference(text)
    expect(parsed).toEqual({
      registry,
      repository,
      ...(implied === undefined ? {} : { tag: implied }),
      ...(digest === undefined ? {} : { digest }),
    })
    expect(parseReference(formatReference(parsed))).toEqual(parsed)
    expect(parseReference(familiarName(parsed))).toEqual(parsed)
  })
})

/** The short and the whole name of a repository, and a third way to write it. */
const names: [familiar: string, full: string, ambiguous?: string][] = [
  ['fooo/bar', 'docker.io/fooo/bar', 'index.docker.io/fooo/bar'],
  ['ubuntu', 'docker.io/library/ubuntu', 'library/ubuntu'],
  ['nonlibrary/ubuntu', 'docker.io/nonlibrary/ubuntu'],
  ['other/library', 'docker.io/other/library'],
  ['127.0.0.1:8000/private/moonbase', '127.0.0.1:8000/private/moonbase'],
  ['127.0.0.1:8000/privatebase', '127.0.0.1:8000/privatebase'],
  ['example.com/private/moonbase', 'example.com/private/moonbase'],
  ['example.com/privatebase', 'example.com/privatebase'],
  ['example.com:8000/private/moonbase', 'example.com:8000/private/moonbase'],
  ['example.com:8000/privatebasee', 'example.com:8000/privatebasee'],
  ['ubuntu-12.04-base', 'docker.io/library/ubuntu-12.04-base', 'index.docker.io/library/ubuntu-12.04-base'],
  ['foo', 'docker.io/library/foo', 'docker.io/foo'],
  ['library/foo/bar', 'docker.io/library/foo/bar'],
  ['store/foo/bar', 'docker.io/store/foo/bar'],
  ['Foo/bar', 'Foo/bar'],
  ['FOO/bar', 'FOO/bar'],
]

test.each(names)('%s, in full %s', (familiar, full, ambiguous = full) => {
  for (const text of [familiar, full, ambiguous]) {
    const { tag: _, ...repository } = parseReference(text)
    expect([familiarName(repository), formatReference(repository)]).toEqual([familiar, full])
  }
})

const rejected = [
  // reference
  '',
  ':justtag',
  `@${sha}`,
  `repo@sha256:${'f'.repeat(34)}`,
  `validname@invaliddigest:${f64}${f64}`,
  'Uppercase:tag',
  'test:5000/Uppercase/lowercase:tag',
  `${a127}a/a/a:tag`,
  'aa/asdf$$^/aa',
  '[2001:db8::1]',
  '[2001:db8::1]:5000',
  '[2001:db8::1]:tag',
  '[fe80::1%eth0]:5000/repo',
  '[fe80::1%@invalidzone]:5000/repo',
  // normalize
  'https://github.com/docker/docker',
  'docker/Docker',
  '-docker',
  '-foo',
  '-docker/docker',
  '-docker.io/docker/docker',
  'docker///docker',
  'docker.io/docker/Docker',
  'docker.io/docker///docker',
  '[fc00::1]',
  '[fc00::1]:5000',
  'fc00::1:5000/debian',
  '[fe80::1%eth0]:5000/debian',
  '[2001:db8:3:4::192.0.2.33]:5000/debian',
  id,
  'docker-/docker',
  '-docker-/docker',
  '____/____',
  '_docker/_docker',
  'dock..er/docker',
  'dock_.er/docker',
  'dock-.er/docker',
  'docker/',
  `${'this_is_not_a_valid_namespace_because_its_lenth_is_greater_than_255_'.repeat(4)}x/docker`,
  // regexp: hosts
  ...['test.com:http', '-ab.com', 'ab-.com', 'ab.-com', 'ab.com-', '[fd00:1:2::3]75050'].map(host => `${host}/x`),
  ...['[fd00:1:2::3]::75050', '[fd00:1:2::3%eth0]:75050', 'fd00:1:2::3:75050'].map(host => `${host}/x`),
  // regexp: names
  'a/a/a/a/',
  'a//a/a',
  'foo.com/',
  'foo.com:http/bar',
  'a^a',
  'asdf$$^/aa',
  'a-/a/a/a',
  'foo.com/a-/a/a',
  '-foo/bar',
  'foo/bar-',
  'foo-/bar',
  'foo/-bar',
  '_foo/bar',
  'foo_bar.com:8080/app',
  'docker_/docker_',
  'example.com/__underscore/myimage',
  'example.com/..dots/myimage',
  'example.com/.dots/myimage',
  'example.com/nodouble..dots/myimage',
  'docker./docker',
  '.docker/docker',
  'do..cker/docker',
  'do__cker:8080/docker',
  'Foo/FarB',
  // regexp: references
  'registry.com:8080/myapp@sha256:badbadbadbad',
  'registry.com:8080/myapp:invalid~tag',
  'bad_hostname.com:8080/myapp:tag',
  `localhost:http/name@${sha}`,
  'registry.com:8080/myapp@bad',
  'registry.com:8080/myapp@2bad',
]

describe('parseReference rejects as distribution/reference does', () => {
  test.each(rejected)('%j', async text => {
    expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
  })
})
