import { convertImage, editImage, type Image, readImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { squashImage } from '../../lib/rootfs/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { putStoreDocument } from './store-image.ts'
import { zstdFrame } from './zstd-frames.ts'

/** Kinds of images that this library makes; the engine pulls them from a registry. */
export const pulledKinds = ['docker-documents', 'zstd-layers', 'index', 'annotated', 'squashed', 'long-history']

/** Kinds of images that a Docker Engine makes: commands, and bytes for their stdin; the image is `kind:NAME`. */
export const engineKinds: Readonly<
  Record<string, readonly (readonly [args: readonly string[], input?: Uint8Array])[]>
> = {
  imported: [
    [
      [
        ...['import', '-m', 'a root filesystem', '-c', 'CMD ["/tool"]', '-c', 'ENV A=1 B="two words"'],
        ...['-c', 'EXPOSE 80', '-', 'kind:imported'],
      ],
      tarOf({ tool: 'x'.repeat(1234), 'etc/os': 'made' }),
    ],
  ],
  built: [[['build', '-q', '-t', 'kind:built', '-'], tarOf({ Dockerfile: dockerfile(), app: 'app', lib: 'lib' })]],
  'legacy-built': [
    [
      ['build', '-q', '-t', 'kind:legacy-built', '-'],
      tarOf({ Dockerfile: dockerfile().replace('COPY --chmod=755', 'COPY'), app: 'app', lib: 'lib' }),
    ],
  ],
  committed: [
    [
      ['import', '-c', 'CMD ["/tool"]', '-c', 'LABEL base=yes', '-', 'kind:base'],
      tarOf({ tool: 'x'.repeat(500), old: 'old' }),
    ],
    [['create', '--name', 'kind-work', '-e', 'C=3', '-l', 'of=container', 'kind:base', '/other', 'arg']],
    [['cp', '-', 'kind-work:/'], tarOf({ added: 'y'.repeat(777) })],
    [
      [
        ...['commit', '-a', 'me <me@example.com>', '-m', 'by hand', '-c', 'USER 7', '-c', 'LABEL base=no'],
        ...['kind-work', 'kind:committed'],
      ],
    ],
    [['rm', 'kind-work']],
    [['rmi', 'kind:base']],
  ],
}

function dockerfile(): string {
  return [
    'FROM scratch AS base',
    'MAINTAINER me <me@example.com>',
    'ARG VERSION=1.2',
    'ENV VERSION=$VERSION QUOTED="two  words" EMPTY=',
    'LABEL a="1" org.opencontainers.image.title="an \\"app\\"" empty=""',
    'COPY --chmod=755 app /bin/app',
    'COPY lib /lib/lib',
    'WORKDIR /srv/data',
    'VOLUME /srv/data /var/log',
    'EXPOSE 80 443/tcp 53/udp',
    'USER 1000:1000',
    'STOPSIGNAL SIGQUIT',
    'SHELL ["/bin/app", "-c"]',
    'HEALTHCHECK --interval=5s --timeout=2s --start-period=1m --retries=4 CMD /bin/app --check',
    'ONBUILD COPY . /src',
    'ONBUILD RUN make',
    'ENTRYPOINT ["/bin/app"]',
    'CMD serve --port 80',
    '',
  ].join('\n')
}

/** Stores the images of {@link pulledKinds} under their names; equal configs in every run. */
export async function storePulledKinds(store: Store): Promise<void> {
  const plain = await composed(store, 3)
  const set = (name: string, descriptor: Descriptor) => store.references.set(name, descriptor)
  const gzip = await convertImage(store, plain.descriptor, { compression: 'gzip' })
  await set('docker-documents', await convertImage(store, gzip, { documents: 'docker' }))
  await set('zstd-layers', await withZstdLayers(store, plain))
  const annotations = { 'org.opencontainers.image.revision': 'abc', 'com.example.note': 'of the manifest' }
  const annotated = await editImage(store, plain, { annotations, author: 'you', created: '2025-05-05T05:05:05.5Z' })
  await set('annotated', annotated.descriptor)
  await set(
    'squashed',
    (await squashImage(store, plain, { layers: { from: 1, to: 2 }, compression: 'none' })).descriptor,
  )
  await set('long-history', (await composed(store, 60)).descriptor)
  const other = await editImage(store, plain, { platform: 'linux/arm64' })
  const manifests = [
    { ...other.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
    { ...annotated.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
  ]
  const index = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }
  await set('index', await putStoreDocument(store, MediaType.OciIndex, index))
}

/** An image of steps, every third of which writes a file. */
async function composed(store: Store, steps: number): Promise<Image> {
  const layers = []
  const history = []
  for (let i = 0; i < steps; i++) {
    const writes = i % 3 === 0 || steps < 5
    const created = `2025-01-${String(1 + (i % 28)).padStart(2, '0')}T10:00:00${i % 2 ? '.123456789Z' : '+01:00'}`
    history.push({
      created,
      created_by: writes ? `COPY f${i} / # buildkit` : `ENV V${i}=${'v'.repeat(i)}`,
      ...(i % 4 === 1 && { comment: `comment ${i}` }),
      ...(!writes && { empty_layer: true }),
    })
    if (!writes) continue
    const content = Buffer.alloc(1000 * (i + 1), i)
    layers.push(await writeLayer(store, [{ path: `f${i}`, type: 'file', content }], { compression: 'none' }))
  }
  const config = await putStoreDocument(store, MediaType.OciConfig, {
    created: '2025-02-02T02:02:02Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: history.filter(step => step.empty_layer).map(step => step.created_by.slice('ENV '.length)),
      Labels: { z: 'last', a: 'first', größe: 'groß' },
      Cmd: ['run'],
      WorkingDir: '/w',
      ExposedPorts: { '9/udp': {}, '80/tcp': {} },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history,
  })
  const manifest = { schemaVersion: 2, mediaType: MediaType.OciManifest, config }
  const descriptors = layers.map(({ descriptor }) => descriptor)
  return readImage(store, await putStoreDocument(store, MediaType.OciManifest, { ...manifest, layers: descriptors }))
}

/** The image with its layers as zstd frames that hold their bytes as they are: every Node version can make these. */
async function withZstdLayers(store: Store, image: Image): Promise<Descriptor> {
  const layers = []
  for (const { descriptor } of image.layers) {
    const pieces = []
    for await (const chunk of store.read(descriptor.digest)) pieces.push(chunk)
    const bytes = Buffer.concat(pieces)
    const blocks = []
    for (let at = 0; at < bytes.length; at += 60_000) blocks.push({ raw: bytes.subarray(at, at + 60_000) })
    layers.push({ mediaType: MediaType.OciLayerZstd, ...(await store.put(zstdFrame(blocks))) })
  }
  return putStoreDocument(store, MediaType.OciManifest, { ...image.manifest, layers })
}

/** A tar of small files; only for input of the engine, so no library code writes it. */
function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).map(([path, content]) => {
    const header = Buffer.alloc(512)
    header.write(path, 0)
    header.write('0000644\0', 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        0', 148)
    header.write('ustar\0', 257)
    header.write('00', 263)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)])
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
