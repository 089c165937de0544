import { expect, test } from 'vitest'
import { isRepositoryPath, isTag, parseReference } from '../../lib/oci/index.ts'
import { expectBoundedTime } from '../helpers/processor-time.ts'
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
])('the parser rejects a megabyte of %s in linear time', async (name, text) => {
  await expectBoundedTime(name, text.length / 10, async () => {
    expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
    expect(isRepositoryPath(text)).toBe(false)
    expect(isTag(text)).toBe(false)
    return 0
  })
})

test.each(['a-'.repeat(500), `${'a'.repeat(1000)}!`, `${'a__'.repeat(330)}A`, `${'a.'.repeat(500)}:0/x`])(
  'the parser rejects the longest texts that almost match in linear time: %.8s…',
  async text => {
    const rounds = 100
    await expectBoundedTime(text.slice(0, 8), rounds * text.length, async () => {
      for (let i = 0; i < rounds; i++) {
        expect(await thrownBy(() => parseReference(text))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
      }
      return 0
    })
  },
)
