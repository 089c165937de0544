import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UniquePaths } from '../../lib/layer/policy/unique-paths.ts'

test('the first path that was added before is found, in whatever order the paths come', () => {
  const name = fc.constantFrom('a', 'b', 'a/b', 'a.b', 'ab', 'a/b/c', 'z', 'ü', '\u{1f600}', '\uffee', '\udcff')
  const runs = fc.array(fc.array(name, { maxLength: 8 }), { maxLength: 8 })
  fc.assert(
    fc.property(runs, fc.boolean(), (lists, isSorted) => {
      const paths = new UniquePaths()
      const seen = new Set<string>()
      for (const path of lists.flatMap(list => (isSorted ? [...list].sort() : list))) {
        expect(paths.add(path)).toBe(!seen.has(path))
        if (seen.has(path)) return
        seen.add(path)
      }
    }),
    { numRuns: 500 },
  )
})

test('many ascending runs are told apart as well', () => {
  const paths = new UniquePaths()
  for (let run = 0; run < 10; run++) {
    for (let i = run; i < 200; i += 10) expect(paths.add(`d/${i}`)).toBe(true)
  }
  expect(paths.add('d/57')).toBe(false)
})
