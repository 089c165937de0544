import { contentOf, kindFor } from './content.mjs'
import { createRandom } from './random.mjs'

const PARTS = 10
const FOLDERS = ['lib', 'dist', 'src', 'dist/esm', 'lib/internal', 'types']
const ENDINGS = {
  text: ['.js', '.d.ts', '.json', '.md', '.map'],
  binary: ['.node', '.so', '.wasm'],
  packed: ['.gz', '.png'],
}
const PACKAGE = 8
const LINKED = PACKAGE * 20
const LICENSE_BYTES = 1071

/**
 * Many small files like an operating system with a node_modules folder: packages of eight files, log-normal sizes, a
 * few large libraries, repeated licenses, links. Ten parts, for the layers of one image.
 */
export function* manySmall({ files = 40_000, bytes = 600e6, seed = 'many-small' } = {}) {
  const random = createRandom(seed)
  const sizes = drawSizes(random, files, bytes)
  for (let i = 0, folder = ''; i < files; i++) {
    if (i % PACKAGE === 0) {
      folder = `part-${Math.floor((i * PARTS) / files)}/node_modules/${nameFrom(random)}-${i}`
    }
    const file = fileAt(i, folder, sizes[i], random)
    yield file
    if (i % LINKED === 0) yield { path: `${folder}/cli`, type: 'symlink', linkname: file.path.slice(folder.length + 1) }
  }
}

function fileAt(i, folder, size, random) {
  if (isLicense(i))
    return { path: `${folder}/LICENSE`, type: 'file', mode: 0o644, content: () => contentOf('text', 'license', size) }
  const kind = kindFor(random, size)
  const path = `${folder}/${random.pick(FOLDERS)}/${nameFrom(random)}-${i}${random.pick(ENDINGS[kind])}`
  return { path, type: 'file', mode: random.below(20) === 0 ? 0o755 : 0o644, content: () => contentOf(kind, i, size) }
}

/** Draws sizes around 3 KB, and one large library in two thousand files; their sum is `bytes`. */
function drawSizes(random, files, bytes) {
  const drawn = Array.from({ length: files }, (_, i) =>
    i % 2000 === 6 ? 2e6 + random.below(4e6) : Math.min(1e6, 3000 * Math.exp(1.6 * random.normal())),
  )
  const factor = bytes / drawn.reduce((sum, size, i) => (isLicense(i) ? sum : sum + size), 0)
  return drawn.map((size, i) => (isLicense(i) ? LICENSE_BYTES : Math.max(1, Math.round(size * factor))))
}

/** True for the last file of a package. */
function isLicense(i) {
  return i % PACKAGE === PACKAGE - 1
}

function nameFrom(random) {
  const length = 3 + random.below(12)
  return Array.from({ length }, () => String.fromCharCode(97 + random.below(26))).join('')
}
