import { expect, test } from 'vitest'
import { digestOfFrames, FrameDigester } from '../../../lib/build/keys/key-part.ts'
import { createDigester, digestOf } from '../../../lib/digest/index.ts'
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
    [1, 127, 128, 255, 256, 1023, 1024].map(length => 'x'.repeat(length)),
  ]
  for (const texts of lists) {
    const digest = await digestOf(framed(texts))
    expect(await digestOfFrames(() => texts)).toBe(digest)
    const frames = new FrameDigester(await createDigester())
    for (let i = 0; i < texts.length; i += 7) frames.addAll(texts.slice(i, i + 7))
    expect(frames.digest()).toBe(digest)
    frames.release()
  }
})
