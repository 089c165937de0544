import { expect, test } from 'vitest'
import { digestOfFrames } from '../../../lib/build/keys/key-part.ts'
import { digestOf } from '../../../lib/digest/index.ts'
import { encodeName } from '../../../lib/internal/name-bytes.ts'

function framed(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap(text => {
      const encoded = encodeName(text)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(encoded.byteLength)
      return [length, encoded]
    }),
  )
}

test('each text is framed by the length of its bytes, whatever its characters and its length are', async () => {
  const long = 'ü'.repeat(100_000)
  const lists = [
    [],
    [''],
    ['a', 'b'],
    ['ab', ''],
    ['ü', '\udc80x', '😀'],
    [long, 'x', `${long}\udcff`],
    Array(70_000).fill('text'),
  ]
  for (const texts of lists) expect(await digestOfFrames(() => texts)).toBe(await digestOf(framed(texts)))
})
