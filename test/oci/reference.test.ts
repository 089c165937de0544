import { describe, expect, test } from 'vitest'
import { familiarName, formatReference, isRepositoryPath, isTag, parseReference } from '../../lib/oci/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const hex = '1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a'
const sha = `sha256:${hex}`
const t128 = 't'.repeat(128)

/** Input, full form, short form. The grammar is that of distribution/reference. */
const accepted: [text: string, whole: string, familiar: string][] = [
  ['node', 'docker.io/library/node:latest', 'node:latest'],
  ['node:22', 'docker.io/library/node:22', 'node:22'],
  ['library/node', 'docker.io/library/node:latest', 'node:latest'],
  ['docker.io/node', 'docker.io/library/node:latest', 'node:latest'],
  ['docker.io/library/node', 'docker.io/library/node:latest', 'node:latest'],
  ['index.docker.io/node', 'docker.io/library/node:latest', 'node:latest'],
  ['index.docker.io/library/node:22', 'docker.io/library/node:22', 'node:22'],
  ['fooo/bar', 'docker.io/fooo/bar:latest', 'fooo/bar:latest'],
  ['nonlibrary/ubuntu', 'docker.io/nonlibrary/ubuntu:latest', 'nonlibrary/ubuntu:latest'],
  ['other/library', 'docker.io/other/library:latest', 'other/library:latest'],
  ['library/foo/bar', 'docker.io/library/foo/bar:latest', 'library/foo/bar:latest'],
  ['store/foo/bar', 'docker.io/store/foo/bar:latest', 'store/foo/bar:latest'],
  ['ubuntu-12.04-base', 'docker.io/library/ubuntu-12.04-base:latest', 'ubuntu-12.04-base:latest'],
  ['example.com/privatebase', 'example.com/privatebase:latest', 'example.com/privatebase:latest'],
  ['example.com:8000/a/b:c', 'example.com:8000/a/b:c', 'example.com:8000/a/b:c'],
  ['127.0.0.1:5000/docker', '127.0.0.1:5000/docker:latest', '127.0.0.1:5000/docker:latest'],
  ['192.168.0.1', 'docker.io/library/192.168.0.1:latest', '192.168.0.1:latest'],
  ['192.168.0.1:80', 'docker.io/library/192.168.0.1:80', '192.168.0.1:80'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app:latest'],
  ['localhost', 'docker.io/library/localhost:latest', 'localhost:latest'],
  ['localhost:5000', 'docker.io/library/localhost:5000', 'localhost:5000'],
  ['test-com:8080/foo', 'test-com:8080/foo:latest', 'test-com:8080/foo:latest'],
  ['test_com/foo', 'docker.io/test_com/foo:latest', 'test_com/foo:latest'],
  ['xn--n3h.com:18080/foo', 'xn--n3h.com:18080/foo:latest', 'xn--n3h.com:18080/foo:latest'],
  ['Foo/bar', 'Foo/bar:latest', 'Foo/bar:latest'],
  ['FOO/bar', 'FOO/bar:latest', 'FOO/bar:latest'],
  ['EXAMPLE.com/bar', 'EXAMPLE.com/bar:latest', 'EXAMPLE.com/bar:latest'],
  ['[fc00::1]:5000/docker', '[fc00::1]:5000/docker:latest', '[fc00::1]:5000/docker:latest'],
  ['[fc00:1:2:3:4:5:6:7]/a/b', '[fc00:1:2:3:4:5:6:7]/a/b:latest', '[fc00:1:2:3:4:5:6:7]/a/b:latest'],
  ['docker---rules/docker', 'docker.io/docker---rules/docker:latest', 'docker---rules/docker:latest'],
  ['dock__er/docker', 'docker.io/dock__er/docker:latest', 'dock__er/docker:latest'],
  ['d/t', 'docker.io/d/t:latest', 'd/t:latest'],
  [`redis@${sha}`, `docker.io/library/redis@${sha}`, `redis@${sha}`],
  [`redis:7@${sha}`, `docker.io/library/redis:7@${sha}`, `redis:7@${sha}`],
  [`example.com:5000/a:b@${sha}`, `example.com:5000/a:b@${sha}`, `example.com:5000/a:b@${sha}`],
  [`a@sha512:${hex}${hex}`, `docker.io/library/a@sha512:${hex}${hex}`, `a@sha512:${hex}${hex}`],
  [`a:${t128}`, `docker.io/library/a:${t128}`, `a:${t128}`],
  ['a:_.-', 'docker.io/library/a:_.-', 'a:_.-'],
  ['a:LATEST', 'docker.io/library/a:LATEST', 'a:LATEST'],
  [hex.slice(1), `docker.io/library/${hex.slice(1)}:latest`, `${hex.slice(1)}:latest`],
  [`docker.io/${hex}`, `docker.io/library/${hex}:latest`, `${hex}:latest`],
  [`${hex}:tag`, `docker.io/library/${hex}:tag`, `${hex}:tag`],
  [`${hex.slice(1)}g`, `docker.io/library/${hex.slice(1)}g:latest`, `${hex.slice(1)}g:latest`],
  [sha, `docker.io/library/${sha}`, sha],
  ['docker.io/example.com/app', 'docker.io/example.com/app:latest', 'docker.io/example.com/app:latest'],
  ['docker.io/localhost/app', 'docker.io/localhost/app:latest', 'docker.io/localhost/app:latest'],
]

test.each(accepted)('%s is %s, in short %s', (text, whole, familiar) => {
  expect(formatReference(parseReference(text))).toBe(whole)
  expect(familiarName(parseReference(text))).toBe(familiar)
  expect(parseReference(familiar)).toEqual(parseReference(whole))
})

const rejected = [
  '',
  ':',
  ':tag',
  `@${sha}`,
  hex,
  'a:',
  'a@',
  'a:b:c',
  'a:-foo',
  'a:.foo',
  `a:${t128}t`,
  'a:tag/b',
  'a: b',
  '/a',
  'a/',
  'a//b',
  'docker///docker',
  'example.com/',
  'example.com:5000/',
  'https://github.com/docker/docker',
  'docker/Docker',
  'aBc',
  'docker.io/docker/Docker',
  '-docker',
  '-docker/docker',
  'docker-/docker',
  '-docker.io/docker/docker',
  'docker-.io/docker',
  '____/____',
  '_docker/_docker',
  'dock..er/docker',
  'dock_.er/docker',
  'dock-.er/docker',
  'dock___er/docker',
  '.',
  '..',
  '../a',
  'a/../b',
  'example.com/..',
  'example.com/a/./b',
  'example..com/a',
  'example.com./a',
  '[fc00::1]',
  '[fc00::1]:5000',
  'fc00::1:5000/debian',
  '[fe80::1%eth0]:5000/debian',
  '[2001:db8:3:4::192.0.2.33]:5000/debian',
  '[fc00::1/a',
  '[]/a',
  'example.com:port/a',
  'example.com:/a',
  'user@example.com/a',
  'user:password@example.com/a',
  'a?b',
  'a#b',
  'a%2fb',
  'a\\b',
  'a b',
  ' a',
  'a ',
  'a\n',
  'a\0b',
  'a\u001b[31m',
  'ünï/cödé',
  'ｎｏｄｅ',
  'nоde',
  'a\u202eb',
  'a:tâg',
  `a@${sha}0`,
  `a@${sha.toUpperCase()}`,
  `a@sha256:${hex.toUpperCase()}`,
  `a@md5:${hex.slice(32)}`,
  `a@${sha}@${sha}`,
  `a@${sha}:tag`,
  'a@latest',
]

test.each(['https://ghcr.io/o/app:1', 'http://localhost:5000/app'])(
  '%j is refused with what to leave out',
  async text => {
    const { message } = (await thrownBy(() => parseReference(text))) as Error
    expect(message).toMatch(/: leave https?:\/\/ out$/)
  },
)

test.each(rejected)('%j is not a reference', async text => {
  expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
})

test('the path of a repository has at most 255 characters, including an implied `library/`', async () => {
  const path = `${'a'.repeat(127)}/${'b'.repeat(127)}`
  expect(parseReference(`example.com/${path}`).repository).toBe(path)
  expect(parseReference(path).repository).toBe(path)
  expect(parseReference('c'.repeat(247)).repository).toHaveLength(255)
  for (const text of [`example.com/${path}b`, `${path}b`, 'c'.repeat(248)]) {
    expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
  }
})

test('an error escapes control characters and truncates long names', async () => {
  expect((await thrownBy(() => parseReference('a\u001b[31m'))).message).toContain('\\u001b')
  expect((await thrownBy(() => parseReference('a'.repeat(1_000_000)))).message.length).toBeLessThan(300)
})

describe('isTag', () => {
  test.each(['a', '1.0', '_', t128])('%s is a tag', text => expect(isTag(text)).toBe(true))
  test.each(['', '-a', '.a', `${t128}t`, 'a/b', 'a:b', 'a\n', 'ä'])('%j is not', text =>
    expect(isTag(text)).toBe(false),
  )
})

describe('isRepositoryPath', () => {
  test.each(['a', 'a/b', 'library/node', 'a.b_c__d--e/f0'])('%s is a path', text =>
    expect(isRepositoryPath(text)).toBe(true),
  )
  test.each(['', '/', 'a/', '/a', 'A', 'a/../b', '..', 'a:b', 'x'.repeat(256), 'a%2f'])('%j is not', text =>
    expect(isRepositoryPath(text)).toBe(false),
  )
})
