import fc from './fast-check.ts'
import type { RawEntry } from './raw-tar.ts'

const name = fc.constantFrom('a', 'b', 'c', 'd')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => names.join('/'))
const mtime = fc.integer({ min: 0, max: 5 })
const mode = fc.constantFrom(0o644, 0o755, 0o4711)

const file = fc.record({ path, type: fc.constant('0'), content: fc.constantFrom('', 'x', 'y', 'xyz'), mode, mtime })
const directory = fc.record({ path, type: fc.constant('5'), mode, mtime })
const symlink = fc.record({
  path,
  type: fc.constant('2'),
  link: fc.oneof(
    path,
    path.map(to => `/${to}`),
    path.map(to => `../${to}`),
    fc.constantFrom('..', '/', '.', '../../../../a'),
  ),
  mode,
  mtime,
})
const hardlink = fc.record({ path, type: fc.constant('1'), link: path })
const whiteout = path.map(to => ({ path: to.replace(/[^/]+$/, '.wh.$&'), type: '0' }))
const opaque = fc
  .oneof({ weight: 4, arbitrary: path.map(to => `${to}/`) }, { weight: 1, arbitrary: fc.constant('') })
  .map(to => ({ path: `${to}.wh..wh..opq`, type: '0' }))

const pseudoName = fc.constantFrom('1', '2').map(number => `.wh..wh.plnk/${number}`)
const pseudoLink = fc.oneof(
  fc.record({ path: pseudoName, type: fc.constant('0'), content: fc.constantFrom('p', 'q'), mode, mtime }),
  fc.record({ path: pseudoName, type: fc.constant('5') }),
)
const linkToPseudoLink = fc.record({ path, type: fc.constant('1'), link: pseudoName })

const entry: fc.Arbitrary<RawEntry> = fc.oneof(
  { weight: 6, arbitrary: file },
  { weight: 5, arbitrary: directory },
  { weight: 2, arbitrary: symlink },
  { weight: 2, arbitrary: hardlink },
  { weight: 3, arbitrary: whiteout },
  { weight: 1, arbitrary: opaque },
  { weight: 1, arbitrary: pseudoLink },
  { weight: 1, arbitrary: linkToPseudoLink },
)

/**
 * A stack of small layers over few names, so that paths collide often: replaced kinds, links through links, whiteouts.
 */
export const layerStacks: fc.Arbitrary<RawEntry[][]> = fc.array(fc.array(entry, { maxLength: 7 }), {
  minLength: 1,
  maxLength: 4,
})
