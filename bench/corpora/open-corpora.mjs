import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cloneLayout } from '../contenders/oci-layout.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'
import { fewLarge } from './few-large.mjs'
import { incompressible } from './incompressible.mjs'
import { manySmall } from './many-small.mjs'
import { writeTree } from './write-tree.mjs'

const SIZES = {
  full: {
    files: 40_000,
    bytes: 600e6,
    large: 2 ** 30,
    packed: 2 ** 28,
    small: { files: 40_000, bytes: 160e6, seed: 'small' },
    runtime: { files: 10_000, bytes: 500e6, seed: 'runtime' },
    whole: { files: 40_000, bytes: 1e9, seed: 'whole' },
  },
  smoke: {
    files: 400,
    bytes: 5e6,
    large: 2 ** 23,
    packed: 2 ** 22,
    small: { files: 400, bytes: 2e6, seed: 'small' },
    runtime: { files: 100, bytes: 4e6, seed: 'runtime' },
    whole: { files: 400, bytes: 8e6, seed: 'whole' },
  },
}

/**
 * The trees, images and registries that scenarios use. Each is generated on first use, in its own folder below
 * `directory`; the next scenario finds it there, and so does the next run if the directory is kept.
 */
export function openCorpora(directory, { library, smoke }) {
  const size = SIZES[smoke ? 'smoke' : 'full']
  const once = (name, make) => remember(join(directory, smoke ? 'smoke' : 'full', name), make)
  const tree = (name, entries) =>
    once(name, place => ({ directory: join(place, 'tree'), ...writeTree(entries(), join(place, 'tree')) }))
  /** An image with the number of files and bytes in it. */
  const imageOf = async (name, options, place, layersOf) => {
    const facts = await tree(name, () => manySmall(options))
    const image = await writeImage(library, place, layersOf(facts))
    return { ...image, files: facts.files, fileBytes: facts.bytes }
  }
  const corpora = {
    manySmall: () => tree('many-small', () => manySmall(size)),
    /** Files of 4 KB on average. */
    smallFiles: () => tree('small-files', () => manySmall(size.small)),
    fewLarge: () => tree('few-large', () => fewLarge({ bytes: size.large })),
    incompressible: () => tree('incompressible', () => incompressible({ bytes: size.packed })),
    /** Small enough to compare every byte of a contender's result. */
    tiny: () => tree('tiny', () => manySmall({ files: 240, bytes: 4e6, seed: 'tiny' })),
    /** The tree of `tiny` in one layer. */
    tinyImage: () => once('tiny-image', async place => writeImage(library, place, [(await corpora.tiny()).directory])),
    /** Ten layers of many small files. */
    app: () => once('app', async place => writeImage(library, place, partsOf(await corpora.manySmall()))),
    /** One layer like that of a language runtime: 500 MB in 10,000 files. */
    runtime: () => once('runtime', place => imageOf('runtime-tree', size.runtime, place, tree => [tree.directory])),
    /** An image of 1 GB: 40,000 files in ten layers. */
    whole: () => once('whole', place => imageOf('whole-tree', size.whole, place, partsOf)),
    /** `app` with its last layer replaced. */
    appNext: () => once('app-next', async place => nextImage(library, place, await corpora.app(), size)),
    /** One layer with one large file. */
    big: () => once('big', async place => writeImage(library, place, [(await corpora.fewLarge()).directory], 1)),
    /** Content of docker-registry after `app:1`, `app:2` and `big:1` were pushed to `bench/…`. */
    registry: () => once('registry', place => fillRegistry(library, place, corpora)),
  }
  return corpora
}

/** The facts are written last: the leftovers of an interrupted run are generated again. */
async function remember(place, make) {
  const facts = join(place, 'facts.json')
  if (!existsSync(facts)) {
    rmSync(place, { recursive: true, force: true })
    mkdirSync(place, { recursive: true })
    writeFileSync(facts, JSON.stringify(await make(place)))
  }
  return JSON.parse(readFileSync(facts, 'utf8'))
}

function partsOf({ directory }) {
  return Array.from({ length: 10 }, (_, i) => join(directory, `part-${i}`))
}

async function writeImage(library, place, directories, level = 6) {
  const { composeImage, fromDirectory, openStore, writeLayer } = await import(`${library}/index.js`)
  const layout = join(place, 'layout')
  const store = await openStore(layout, { hasher: 'native', durability: 'none' })
  const layers = []
  for (const directory of directories) {
    layers.push(await writeLayer(store, fromDirectory(directory), { compression: 'gzip', level, hasher: 'native' }))
  }
  const image = await composeImage(store, { layers })
  await store.references.set('app:1', image.descriptor)
  await store.close()
  return { ...factsOf(layout, image, layers), trees: directories }
}

async function nextImage(library, place, app, { files, bytes }) {
  const { composeImage, openStore, writeLayer } = await import(`${library}/index.js`)
  const layout = join(place, 'layout')
  cloneLayout(app.layout, layout)
  const store = await openStore(layout, { hasher: 'native', durability: 'none' })
  const fresh = manySmall({ files: files / 10, bytes: bytes / 10, seed: 'next' })
  const layer = await writeLayer(store, writable(fresh), { compression: 'gzip', level: 6, hasher: 'native' })
  const layers = [...app.layers.slice(0, -1), layer]
  const image = await composeImage(store, { layers })
  await store.references.set('app:1', image.descriptor)
  await store.close()
  return factsOf(layout, image, layers)
}

function* writable(entries) {
  for (const entry of entries) yield entry.type === 'file' ? { ...entry, content: entry.content() } : entry
}

function factsOf(layout, image, layers) {
  const { descriptor, manifest } = image
  const blobs = [descriptor, manifest.config, ...manifest.layers].map(({ digest, size }) => ({ digest, size }))
  return {
    layout,
    name: 'app:1',
    digest: descriptor.digest,
    blobs,
    bytes: blobs.reduce((sum, { size }) => sum + size, 0),
    layers: layers.map(({ descriptor, diffId, uncompressedSize }) => ({ descriptor, diffId, uncompressedSize })),
  }
}

async function fillRegistry(library, place, corpora) {
  const { createRegistryClient, openStore, planPush, runPush } = await import(`${library}/index.js`)
  const directory = join(place, 'data')
  const images = { 'app:1': await corpora.app(), 'app:2': await corpora.appNext(), 'big:1': await corpora.big() }
  await withDockerRegistry(directory, async host => {
    const registry = createRegistryClient()
    for (const [name, { layout }] of Object.entries(images)) {
      const store = await openStore(layout, { hasher: 'native', readOnly: true })
      await runPush(await planPush(store, registry, 'app:1', `${host}/bench/${name}`))
      await store.close()
    }
    await registry.close()
  })
  return { directory }
}
