import { expect, test } from 'vitest'
import { isRepositoryPath, isTag, parseReference } from '../../lib/oci/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const mega = 1_000_000

test.each([
  ['letters', 'a'.repeat(mega)],
  ['slashes', 'a/'.repeat(mega / 2)],
  ['dashes', `a${'-'.repeat(mega)}`],
  ['underscores', 'a_'.repeat(mega / 2)],
  ['dots in the host', `${'a.'.repeat(mega / 2)}/x`],
  ['colons', ':'.repeat(mega)],
  ['at signs', '@'.repeat(mega)],
  ['brackets', `[${':'.repeat(mega)}`],
  ['digits of a port', `a:${'1'.repeat(mega)}/b`],
])('a megabyte of %s is refused in an instant', async (_, text) => {
  expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
  expect(isRepositoryPath(text)).toBe(false)
  expect(isTag(text)).toBe(false)
})

test('the longest texts that are looked at take no time either, in whatever way they almost match', async () => {
  const almost = ['a-'.repeat(500), `${'a'.repeat(1000)}!`, `${'a__'.repeat(330)}A`, `${'a.'.repeat(500)}:0/x`]
  for (let i = 0; i < 100; i++) for (const text of almost) await thrownBy(() => parseReference(text))
})
