import { contentOf, kindFor } from './content.mjs'
import { createRandom } from './random.mjs'

/**
 * A monorepo with its packages installed side by side: most files exist several times under different paths, and some
 * copies differ in one line.
 */
export function* duplicateHeavy({ files = 6000, distinct = 1500, meanBytes = 20_000, seed = 'duplicate-heavy' } = {}) {
  const random = createRandom(seed)
  const sizes = Array.from({ length: distinct }, () =>
    Math.max(64, Math.round(-meanBytes * Math.log(1 - random.unit()))),
  )
  const kinds = sizes.map(size => kindFor(random, size))
  for (let i = 0; i < files; i++) {
    const which = i < distinct ? i : random.below(distinct)
    const edited = i >= distinct && random.below(8) === 0
    const path = `workspace-${i % 12}/node_modules/package-${which % 211}/file-${which}-${i}.js`
    yield { path, type: 'file', mode: 0o644, content: () => copyOf(which, kinds[which], sizes[which], edited && i) }
  }
}

function copyOf(which, kind, size, edit) {
  const bytes = contentOf(kind, `duplicate-${which}`, size)
  if (edit === false) return bytes
  const middle = size >> 1
  return Buffer.concat([
    bytes.subarray(0, middle),
    Buffer.from(`\n// edited in copy ${edit}\n`),
    bytes.subarray(middle),
  ])
}
