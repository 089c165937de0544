import { expect, test } from 'vitest'
import { familiarName, parseReference } from '../../lib/oci/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('the short form of a repository named like a host does not become that host', () => {
  for (const text of ['docker.io/evil.example/app:1', 'docker.io/localhost/app:1', 'docker.io/a.b/c/d:1']) {
    expect(parseReference(familiarName(parseReference(text)))).toEqual(parseReference(text))
    expect(parseReference(text).registry).toBe('docker.io')
  }
})

test('an image id is not taken for a name', async () => {
  expect(await thrownBy(() => parseReference('0123456789abcdef'.repeat(4)))).toMatchObject({
    code: 'ERR_INVALID_REFERENCE',
  })
})

test('with a tag and a digest, both are there and the digest decides', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  expect(parseReference(`a:1@${digest}`)).toEqual({ registry: 'docker.io', repository: 'library/a', tag: '1', digest })
  expect(parseReference(`a@${digest}`)).not.toHaveProperty('tag')
})

test('nothing that could leave a path or a URL is part of any name', async () => {
  for (const text of [
    'a/../../b',
    'x.com/%2e%2e/b',
    'x.com/a?b',
    'x.com/a#b',
    'x.com//etc',
    'u:p@x.com/a',
    'x.com\\a/b',
  ]) {
    expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
  }
})
