import { expect, test } from 'vitest'
import { peekBytes } from '../../lib/internal/peek-bytes.ts'

/** A stream of short chunks in one buffer, which it uses again for each. */
async function* reusing(text: string, closed: string[] = []): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(3)
  try {
    for (let at = 0; at < text.length; at += 3) {
      const length = buffer.write(text.slice(at, at + 3))
      yield buffer.subarray(0, length)
    }
  } finally {
    closed.push(text)
  }
}

test.each([
  ['more bytes than asked for', 'abcdefghijk', 'abcde'],
  ['as many', 'abcde', 'abcde'],
  ['fewer', 'abc', 'abc'],
  ['none', '', ''],
])('the first bytes of a stream with %s are known, and all of them follow', async (_, text, first) => {
  const { head, content } = await peekBytes(reusing(text), 5)
  expect(Buffer.from(head).toString()).toBe(first)
  let all = ''
  for await (const chunk of content) all += Buffer.from(chunk).toString()
  expect(all).toBe(text)
})

test('a stream whose content is not wanted is closed', async () => {
  const closed: string[] = []
  const { content } = await peekBytes(reusing('abcdefghijk', closed), 5)
  expect(closed).toEqual([])
  await content.return()
  expect(closed).toEqual(['abcdefghijk'])
})
