import { type Image, readImage } from '../../../lib/image/index.ts'
import type { Descriptor } from '../../../lib/oci/index.ts'
import { openUnionView, type UnionView } from '../../../lib/rootfs/index.ts'
import type { Store } from '../../../lib/store/index.ts'

/** What a build made, as data to compare: everything but times and digests of layers. */
export interface DescribedImage {
  /** The base that the tree is compared with; absent: nothing below. */
  readonly base?: string
  /** Paths that are not as in the base: type, mode, owner, link, content, extended attributes. */
  readonly files: readonly string[]
  /** Paths of the base that are gone. */
  readonly removed?: readonly string[]
  readonly layers: number
  readonly platform: string
  readonly author?: string
  readonly config: object
  /** Text of each history entry behind those of the base; `-` before one without a layer. */
  readonly history: readonly string[]
}

/** Images to compare with, by their names, and their trees. */
export type DescribedBases = ReadonlyMap<string, { readonly image: Image; readonly tree: ReadonlyMap<string, string> }>

/** Reads the bases of a corpus, to compare with. */
export async function describeBases(store: Store, names: readonly string[]): Promise<DescribedBases> {
  const bases = new Map<string, { image: Image; tree: ReadonlyMap<string, string> }>()
  for (const name of names) {
    const image = await readImage(store, name)
    bases.set(name, { image, tree: await treeOf(store, image) })
  }
  return bases
}

/** Describes an image that was built on one of the bases, or on nothing. */
export async function describeImage(store: Store, source: Descriptor, bases: DescribedBases): Promise<DescribedImage> {
  const image = await readImage(store, source)
  const [name, base] = baseOf(image, bases) ?? []
  const tree = await treeOf(store, image)
  const removed = [...(base?.tree.keys() ?? [])].filter(path => !tree.has(path))
  const { author, config, history = [], os, architecture } = image.config
  return {
    ...(name !== undefined && { base: name }),
    files: [...tree].filter(([path, line]) => base?.tree.get(path) !== line).map(([path, line]) => `${path} ${line}`),
    ...(removed.length > 0 && { removed }),
    layers: image.layers.length - (base?.image.layers.length ?? 0),
    platform: `${os}/${architecture}`,
    ...(author !== undefined && { author }),
    config: sorted(config ?? {}),
    history: history
      .slice(base?.image.config.history?.length ?? 0)
      .map(({ created_by = '', empty_layer }) => `${empty_layer ? '-' : '+'} ${created_by}`),
  }
}

/** The base with the most layers at the bottom of an image; of several with equal layers the one with its history. */
function baseOf(image: Image, bases: DescribedBases) {
  const history = (entries: Image) => JSON.stringify(entries.config.history?.[0]?.created_by)
  return [...bases].find(
    ([, base]) => base.image.layers[0]!.diffId === image.layers[0]?.diffId && history(base.image) === history(image),
  )
}

async function treeOf(store: Store, image: Image): Promise<Map<string, string>> {
  return describeTree(await openUnionView(store, image))
}

/** Describes each path of a view in one line: type, mode, owner, content or link, device, extended attributes. */
export function describeTree(view: UnionView): Map<string, string> {
  const lines = new Map<string, string>()
  for (const entry of view.walk()) {
    const { path, type, mode, uid, gid, linkname = '', digest, xattrs, devMajor, devMinor, size } = entry
    const kind = type === 'hardlink' ? 'hardlink' : type
    const content = type === 'file' ? (size === 0 ? 'empty' : digest!.slice(7, 19)) : linkname
    const attributes = [...(xattrs ?? [])].map(([key, value]) => `${key}=${Buffer.from(value).toString('base64')}`)
    const bits = type === 'symlink' ? '' : mode.toString(8)
    const device = devMajor === undefined ? '' : `${devMajor}:${devMinor}`
    lines.set(path, [kind, bits, `${uid}:${gid}`, content, device, ...attributes].filter(Boolean).join(' '))
  }
  return lines
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
