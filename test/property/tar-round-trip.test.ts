import { expect, test } from 'vitest'
import { readTar, type TarInput, writeTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'

/** Names as they are kept: any byte but NUL and slash, none of them `.` or `..`. */
const component = fc
  .oneof(
    fc.stringMatching(/^[a-z.]{1,12}$/),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
    fc.string({ unit: fc.constantFrom('\udc80', '\udcff', 'a', 'ü'), minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 160 }).map(n => 'n'.repeat(n)),
  )
  .filter(name => !/[\0/]|^\.\.?$/.test(name) && !joins(name))
/** Escaped bytes that are UTF-8 when they stand side by side come back as that character. */
const joins = (name: string) => /[\udcc2-\udcf4][\udc80-\udcbf]/.test(name)
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
const id = fc.oneof(fc.nat(70_000), fc.integer({ min: 0, max: 2 ** 32 - 2 }))
const common = {
  path,
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
}
const xattrs = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z_.]{1,20}$/), fc.uint8Array({ maxLength: 40 })), { maxLength: 3 })
  .map(pairs => new Map(pairs.map(([name, value]) => [name, Buffer.from(value)])))
const entry: fc.Arbitrary<TarInput> = fc.oneof(
  fc.record({ ...common, xattrs, type: fc.constant('file' as const), content: fc.uint8Array({ maxLength: 1500 }) }),
  fc.record({ ...common, xattrs, type: fc.constantFrom('directory' as const, 'fifo' as const) }),
  fc.record({ ...common, type: fc.constantFrom('symlink' as const, 'hardlink' as const), linkname: path }),
  fc.record({
    ...common,
    type: fc.constantFrom('character-device' as const, 'block-device' as const),
    devMajor: fc.nat(4095),
    devMinor: fc.nat(262143),
  }),
)

test('written entries are read back, whatever the size of the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 8 }), fc.integer({ min: 1, max: 5000 }), async (entries, size) => {
      const bytes = await readAll(writeTar(entries))
      expect(bytes.byteLength % 512).toBe(0)
      const read = await readEntries(readTar(cut(bytes, size)))
      const expected = entries.map(({ content, xattrs, ...header }) => {
        const text = Buffer.from((content ?? []) as Uint8Array).toString('latin1')
        return { size: text.length, text, ...header, ...(xattrs && xattrs.size > 0 ? { xattrs } : {}) }
      })
      const placed = read.map(({ offset, text }) => bytes.toString('latin1', offset, offset + text.length))
      expect(placed).toEqual(read.map(({ text }) => text))
      expect(read.map(({ offset: _, ...rest }) => rest)).toEqual(expected)
    }),
    { numRuns: cases(300) },
  )
})

test('writing again what was read gives the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async entries => {
      const bytes = await readAll(writeTar(entries))
      expect((await readAll(writeTar(readTar(bytes)))).equals(bytes)).toBe(true)
    }),
    { numRuns: cases(100) },
  )
})

test('buffered and streamed content give the same bytes as tar-stream', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async entries => {
      const files = entries.map((one, i) => ({
        content: Buffer.from(`${i}`),
        ...one,
        linkname: undefined,
        type: 'file' as const,
      }))
      const coming = files.map(({ content, ...header }) => ({
        ...header,
        size: (content as Uint8Array).byteLength,
        content: () => [content as Uint8Array],
      }))
      const bytes = await readAll(writeTar(files as unknown as TarInput[]))
      expect((await readAll(writeTar(coming as unknown as TarInput[]))).equals(bytes)).toBe(true)
    }),
    { numRuns: cases(200) },
  )
})

test('any bytes flipped in an archive give entries or a typed error, never a crash or a hang', async () => {
  const bytes = await readAll(
    writeTar([
      { path: 'd', type: 'directory' },
      { path: 'ü', type: 'file', content: 'some content', xattrs: new Map([['user.a', Buffer.from('b')]]) },
      { path: 'l', type: 'symlink', linkname: 'x'.repeat(120) },
    ]),
  )
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const flipped = Buffer.from(bytes)
      flipped[at] = flipped[at]! ^ mask
      const outcome = await readEntries(readTar(flipped)).then(
        () => 'read',
        error => error.code,
      )
      expect(['read', 'ERR_INVALID_TAR', 'ERR_LIMIT_EXCEEDED']).toContain(outcome)
    }),
    { numRuns: cases(1500) },
  )
})
