import { writeLayer } from '../../lib/layer/index.ts'
import { type HistoryEntry, MediaType } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { putStoreDocument } from './store-image.ts'

/** An image by its layers, its history and further members of its config. */
interface Recipe {
  readonly layers: readonly (readonly TarInput[])[]
  readonly history?: readonly HistoryEntry[]
  readonly config?: object
  readonly created?: string
}

const file = (path: string, size: number, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'file',
  content: Buffer.alloc(size, path),
  ...more,
})
const directory = (path: string): TarInput => ({ path, type: 'directory', mode: 0o755 })
const link = (path: string, linkname: string): TarInput => ({ path, type: 'symlink', linkname })
const step = (created_by: string, more: HistoryEntry = {}): HistoryEntry => ({
  created: '2024-02-29T12:34:56.789Z',
  created_by,
  ...more,
})

const base = [directory('bin'), file('bin/tool', 1_234_567, { mode: 0o755 }), link('bin/sh', 'tool')]

/** Ten images of different shapes; equal bytes in every run. */
export const historyImages: Readonly<Record<string, Recipe>> = {
  'one-layer': { layers: [[file('a', 999)]], history: [step('COPY a / # buildkit')] },
  'config-steps': {
    layers: [base, [directory('app'), file('app/main.js', 1000)]],
    history: [
      step('ADD rootfs.tar.xz / # buildkit', { comment: 'buildkit.dockerfile.v0' }),
      step('ENV PATH=/usr/local/bin:/bin NODE_ENV=production', { empty_layer: true }),
      step('COPY app /app # buildkit', { comment: 'buildkit.dockerfile.v0', author: 'a <a@example.com>' }),
      step('CMD ["node" "/app/main.js"]', { empty_layer: true }),
    ],
    config: {
      Env: ['PATH=/usr/local/bin:/bin', 'NODE_ENV=production', 'EMPTY=', 'EQUALS=a=b'],
      Cmd: ['node', '/app/main.js'],
      Labels: { 'org.opencontainers.image.title': 'app', b: '2', a: '1' },
    },
  },
  links: {
    layers: [
      [
        file('real', 5000),
        { path: 'again', type: 'hardlink', linkname: 'real' },
        link('long', '/a/target/of/forty/bytes/in/all/here/now'),
        link('näme', 'größe'),
      ],
    ],
    history: [step('RUN ln real again')],
  },
  whiteouts: {
    layers: [
      [directory('var'), directory('var/cache'), file('var/cache/big', 40_000), file('gone', 10)],
      [{ path: '.wh.gone', type: 'file' }, directory('var'), { path: 'var/.wh.cache', type: 'file' }],
    ],
    history: [step('RUN make cache'), step('RUN rm -rf /gone /var/cache')],
  },
  opaque: {
    layers: [
      [directory('srv'), file('srv/old', 700)],
      [directory('srv'), { path: 'srv/.wh..wh..opq', type: 'file' }, file('srv/new', 70)],
    ],
    history: [step('RUN old'), step('RUN new')],
  },
  rewritten: {
    layers: [base, [directory('bin'), file('bin/tool', 1_234_567, { mode: 0o755, uid: 1000, gid: 1000 })]],
    history: [step('ADD rootfs.tar / '), step('RUN chown 1000:1000 /bin/tool')],
    config: { User: '1000' },
  },
  'long-commands': {
    layers: [[file('x', 1)]],
    history: [
      step(`/bin/sh -c set -eux; \tapt-get update; \tapt-get install -y ${'package '.repeat(20)}`),
      step('LABEL größe=äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü 日本語', { empty_layer: true }),
      step('exactly forty-five characters in this command', { empty_layer: true }),
      step('forty-six characters are in this very command.', { empty_layer: true }),
    ],
  },
  'without-times': {
    layers: [[file('x', 1_000_000)], [file('y', 999_499)], [file('z', 10_049)]],
    history: [
      { created_by: 'none' },
      { created: '1970-01-01T00:00:00Z', created_by: 'epoch' },
      { comment: 'imported' },
    ],
  },
  'empty-layers': {
    layers: [[], [directory('a')], [], [file('big', 12_345_678)]],
    history: [step('empty'), step('directory'), step('empty again'), step('big')],
  },
  many: {
    layers: Array.from({ length: 12 }, (_, i) => [file(`f${i}`, 10 ** (i % 6) + i)]),
    history: Array.from({ length: 12 }, (_, i) => [
      step(`RUN step ${i}`),
      step(`LABEL step=${i}`, { empty_layer: true, created: `20${10 + i}-0${(i % 9) + 1}-15T08:00:00+02:00` }),
    ]).flat(),
    config: { Labels: { step: '11' }, Env: ['A=1'] },
  },
}

/** Stores the ten images under their names. */
export async function storeHistoryImages(store: Store): Promise<void> {
  for (const [name, recipe] of Object.entries(historyImages)) await storeImage(store, name, recipe)
}

async function storeImage(store: Store, name: string, recipe: Recipe): Promise<void> {
  const layers = []
  for (const entries of recipe.layers)
    layers.push(await writeLayer(store, [...entries], { hasher: 'native', level: 1 }))
  const config = await putStoreDocument(store, MediaType.OciConfig, {
    created: '2024-03-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: recipe.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: recipe.history,
  })
  const manifest = await putStoreDocument(store, MediaType.OciManifest, {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
  })
  await store.references.set(name, manifest)
}
