import { contentOf, kindFor } from './content.mjs'
import { createRandom } from './random.mjs'

const LAYERS = [
  { name: 'base', share: 0.5, meanBytes: 40_000, changesEvery: 5, changed: 0.02 },
  { name: 'dependencies', share: 0.42, meanBytes: 18_000, changesEvery: 3, changed: 0.06 },
  { name: 'app', share: 0.08, meanBytes: 12_000, changesEvery: 1, changed: 0.12 },
]

/**
 * Releases of one image, each with its layers `base`, `dependencies` and `app`, as entries for `writeLayer`. The app
 * changes in every release, the dependencies in every third, the base in every fifth: files are edited in the middle,
 * replaced, added and removed. Release 8 also rebuilds the dependencies: only the times of its files differ.
 */
export function* versionFamily({ versions = 10, bytes = 24e6, seed = 'family' } = {}) {
  const random = createRandom(seed)
  const layers = LAYERS.map(layer => ({ ...layer, mtime: 1_600_000_000, files: firstFiles(layer, bytes, random) }))
  for (let version = 1; version <= versions; version++) {
    for (const layer of layers) {
      if (version > 1 && (version - 1) % layer.changesEvery === 0) changeFiles(layer, version, random)
      if (version === 8 && layer.name === 'dependencies') layer.mtime += 86_400
    }
    yield { version, layers: layers.map(layer => ({ name: layer.name, entries: entriesOf(layer) })) }
  }
}

function firstFiles({ name, share, meanBytes }, bytes, random) {
  const count = Math.max(4, Math.round((share * bytes) / meanBytes))
  return new Map(
    Array.from({ length: count }, (_, i) => [`${name}/file-${i}`, newFile(`${name}-${i}`, meanBytes, random)]),
  )
}

function newFile(seed, meanBytes, random) {
  const size = Math.max(32, Math.round(-meanBytes * Math.log(1 - random.unit())))
  return { seed, size, kind: kindFor(random, size), edits: [] }
}

/** Half of the changes are edits of a few bytes, a quarter replacements, the rest additions and removals. */
function changeFiles({ name, files, changed, meanBytes }, version, random) {
  const paths = [...files.keys()]
  const changes = Math.max(1, Math.round(paths.length * changed))
  for (let i = 0; i < changes; i++) {
    const path = random.pick(paths)
    const file = files.get(path)
    const what = random.below(8)
    if (what < 4 && file) files.set(path, { ...file, edits: [...file.edits, { at: random.unit(), version, i }] })
    else if (what < 6 && file) files.set(path, newFile(`${name}-${path}-${version}-${i}`, meanBytes, random))
    else if (what === 6)
      files.set(`${name}/added-${version}-${i}`, newFile(`${name}-${version}-${i}`, meanBytes, random))
    else files.delete(path)
  }
}

/** Copies the list: the layer changes again before the caller reads it. */
function entriesOf({ files, mtime }) {
  return [...files].map(([path, file]) => ({
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime,
    content: () => bytesOf(file),
  }))
}

function bytesOf({ seed, size, kind, edits }) {
  let bytes = contentOf(kind, seed, size)
  for (const { at, version, i } of edits) {
    const cut = Math.floor(at * bytes.length)
    bytes = Buffer.concat([bytes.subarray(0, cut), Buffer.from(`/* ${version}.${i} */`), bytes.subarray(cut)])
  }
  return bytes
}
