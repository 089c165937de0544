import { pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { type PlainHeader, writeUstarBlock } from '../../lib/tar/write/ustar-block.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { readAll } from '../helpers/read-all.ts'

/** Paths of which every part but the last may go to the prefix, as long as a plain header can hold them. */
const path = fc
  .array(fc.stringMatching(/^[a-zA-Z0-9_. -]{1,90}$/), { minLength: 1, maxLength: 5 })
  .map(parts => parts.join('/'))
  .filter(name => name.length <= 100 || plainSlash(name))
const plainSlash = (name: string) => {
  const slash = name.indexOf('/', name.length - 101)
  return slash > 0 && slash <= 155 && slash < name.length - 1
}
const type = fc.constantFrom(
  'file' as const,
  'directory' as const,
  'link' as const,
  'symlink' as const,
  'character-device' as const,
  'block-device' as const,
  'fifo' as const,
)
const header: fc.Arbitrary<PlainHeader> = fc
  .record({
    type,
    name: path,
    mode: fc.nat(0o7777).map(mode => mode | 0o100000),
    uid: fc.nat(0o777777),
    gid: fc.nat(0o777777),
    size: fc.constant(0),
    mtime: fc.nat(2 ** 31 - 1).map(seconds => new Date(seconds * 1000)),
    devmajor: fc.nat(4095),
    devminor: fc.nat(0o777777),
    target: fc.stringMatching(/^[a-z/.]{1,100}$/),
  })
  .map(({ target, ...rest }) => (rest.type.endsWith('link') ? { ...rest, linkname: target } : rest))

test('a header is to the byte what tar-stream makes of it, whatever is in the buffer before', async () => {
  await fc.assert(
    fc.asyncProperty(header, fc.integer({ min: 0, max: 2000 }), async (given, at) => {
      const theirs = pack()
      const { linkname, ...rest } = given
      theirs.entry(linkname === undefined ? rest : { ...rest, linkname }, '')
      theirs.finalize()
      const archive = await readAll(theirs as AsyncIterable<Buffer>)
      const ours = Buffer.alloc(4096, 0xa5)
      writeUstarBlock(ours, at, given)
      expect(ours.subarray(at, at + 512).equals(archive.subarray(0, 512))).toBe(true)
      expect(ours.subarray(at + 512).every(byte => byte === 0xa5)).toBe(true)
    }),
    { numRuns: cases(500) },
  )
})

test('sizes up to eleven octal digits stand in the header', () => {
  const block = Buffer.alloc(512)
  const plain = {
    name: 'a',
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    devmajor: 0,
    devminor: 0,
  } as const
  writeUstarBlock(block, 0, { ...plain, size: 8 ** 11 - 1 })
  expect(block.toString('latin1', 124, 136)).toBe('77777777777 ')
})
