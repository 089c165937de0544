import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changedLines } from '../../../lib/build/cache/changed-lines.ts'
import { listInputs, parseInputs } from '../../../lib/build/cache/input-list.ts'
import type { FileCopyInput } from '../../../lib/build/copy/file-copy.ts'
import type { Digest } from '../../../lib/digest/index.ts'

const textOf = async (inputs: readonly FileCopyInput[]) => (await listInputs([inputs])).text
const inputOf = (name: string, mode = 0o644): FileCopyInput => ({ name, source: name, type: 'file', mode })
const names = (lines: readonly string[]) => parseInputs(lines)!.map(({ name }) => name)

/** Few different names, with parts in common, so that equal and nearly equal lines are likely. */
const lists = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'aa', 'ab', 'b', 'ü', 'a,\n', '{', '\udcff'),
    mode: fc.constantFrom(0o644, 0o755),
  }),
  { maxLength: 12 },
)

test('the changed lines of two lists are those that only one of them has', async () => {
  await fc.assert(
    fc.asyncProperty(lists, lists, async (old, now) => {
      const [before, after] = [old, now].map(list => list.map(({ name, mode }) => inputOf(name, mode))) as [
        FileCopyInput[],
        FileCopyInput[],
      ]
      const changed = changedLines(await textOf(before), await textOf(after))
      const only = (some: FileCopyInput[], others: FileCopyInput[]) => {
        const known = new Set(others.map(input => JSON.stringify(input)))
        return some.map(input => JSON.stringify(input)).filter(line => !known.has(line))
      }
      // Lines before the first and after the last difference are equal, so a line of theirs may be missing here.
      for (const [found, all] of [
        [changed.before, only(before, after)],
        [changed.after, only(after, before)],
      ] as const) {
        expect(all.every(line => found.includes(line))).toBe(true)
        expect(found.every(line => parseInputs([line]) !== undefined)).toBe(true)
      }
    }),
  )
})

test('one change in the middle of a long list is one line', async () => {
  const inputs = Array.from({ length: 5000 }, (_, i) => inputOf(`file-${i}`))
  const changed = inputs.with(2500, inputOf('file-2500', 0o755))
  const lines = changedLines(await textOf(inputs), await textOf(changed))
  expect([names(lines.before), names(lines.after)]).toEqual([['file-2500'], ['file-2500']])
})

test.each([
  ['added', 'a b c', 'a x b c', [], ['x']],
  ['added at the end', 'a b', 'a b c', [], ['c']],
  ['removed', 'a b c', 'a c', ['b'], []],
  ['all removed', 'a b', '', ['a', 'b'], []],
  ['nothing', 'a b', 'a b', [], []],
])('a file that was %s is found', async (_, before, after, gone, come) => {
  const listed = (list: string) => textOf(Array.from(list.split(' ').filter(Boolean), name => inputOf(name)))
  const lines = changedLines(await listed(before), await listed(after))
  expect([names(lines.before), names(lines.after)]).toEqual([gone, come])
})

test('a list is JSON, and counts its files', async () => {
  const { text, files } = await listInputs([[inputOf('a')], [{ ...inputOf('d'), type: 'directory' }]])
  expect(JSON.parse(Buffer.from(text).toString())).toHaveLength(2)
  expect(files).toBe(1)
  expect(JSON.parse(Buffer.from(await textOf([])).toString())).toEqual([])
})

test('each line of a list is the JSON of its file, whatever its name is', async () => {
  const digest = `sha256:${'0'.repeat(64)}` as Digest
  const inputs: FileCopyInput[] = [
    ...['plain', 'a "b"', 'a\\b', 'ü', '\udcff', 'a\u007f', 'tab\t', ' ~'].map(name => ({ ...inputOf(name), digest })),
    inputOf('no digest'),
    { ...inputOf('link'), type: 'symlink', linkname: 'plain' },
    { ...inputOf('owner'), digest, owner: '1:2' },
    { ...inputOf('extra'), extra: '[8,1,[]]' },
    { ...inputOf('name'), source: 'other "source"' },
  ]
  const text = Buffer.from(await textOf(inputs)).toString()
  expect(text).toBe(`[\n${inputs.map(input => JSON.stringify(input)).join(',\n')}\n]`)
})
