import { posix } from 'node:path'
import { RootfsError } from '../../errors/index.ts'
import { openUnionView, type UnionView } from '../../rootfs/index.ts'
import { collectBuffer } from './collect-buffer.ts'
import type { StatedPackage } from './ecosystems/stated-package.ts'
import type { Reading } from './reading.ts'

/** Most bytes of a database. */
const MOST = 128 * 1024 * 1024

/** A package, and the file and layer that state it. */
export interface LayeredPackage {
  readonly stated: StatedPackage
  readonly path: string
  /** Index of the layer from which on the package has been there in this version. */
  readonly layer: number
}

/**
 * Reads the packages of the first database that exists, as the image has it, and finds the layer that brought each: the
 * database is read in every layer that writes it.
 */
export async function readDatabase(
  reading: Reading,
  places: readonly string[],
  parse: (bytes: Buffer) => StatedPackage[],
): Promise<LayeredPackage[]> {
  const { view, layers, unread } = reading
  const entry = places.map(path => view.stat(path, { follow: true })).find(entry => entry?.type === 'file')
  if (!entry) return []
  if (entry.size > MOST) {
    unread.push({ path: entry.path, reason: `${entry.size} bytes are more than ${MOST}` })
    return []
  }
  let since = new Map<string, number>()
  for (let i = 0; i < entry.layer; i++) {
    if (isHidden(entry.path, layers[i]!.files)) since = new Map()
    if (!layers[i]!.files.has(entry.path)) continue
    since = carried(since, parsed(parse, await bytesIn(reading, i, entry.path)), i)
  }
  if (isHidden(entry.path, layers[entry.layer]!.files)) since = new Map()
  const bytes = await collectBuffer(view.read(entry.path, reading.options), MOST, entry.path)
  const stated = parsed(parse, bytes, reason => unread.push({ path: entry.path, reason }))
  since = carried(since, stated, entry.layer)
  return stated.map(each => ({ stated: each, path: entry.path, layer: since.get(keyOf(each))! }))
}

/** SPEC: a whiteout, or an opaque directory, hides what layers below have (layer.md#whiteouts). */
function isHidden(path: string, files: ReadonlySet<string>): boolean {
  const parent = posix.dirname(path)
  const isIn = (name: string) => files.has(posix.join(parent, name))
  if (isIn(`.wh.${posix.basename(path)}`) || isIn('.wh..wh..opq')) return true
  return parent !== '.' && isHidden(parent, files)
}

function parsed(
  parse: (bytes: Buffer) => StatedPackage[],
  bytes: Buffer,
  onFault: (reason: string) => void = () => undefined,
): StatedPackage[] {
  try {
    return parse(bytes)
  } catch (error) {
    onFault(`not readable: ${(error as Error).message}`)
    return []
  }
}

/** Layers of the packages of a database, given those of the database below. */
function carried(below: Map<string, number>, stated: readonly StatedPackage[], layer: number): Map<string, number> {
  return new Map(stated.map(each => [keyOf(each), below.get(keyOf(each)) ?? layer]))
}

/** Bytes of a file as one lower layer has it; none if it is too large to be a database. */
async function bytesIn(reading: Reading, layer: number, path: string): Promise<Buffer> {
  const { options } = reading
  const view = await viewOf(reading, layer)
  const entry = view.stat(path)
  if (entry?.type !== 'file' || entry.size > MOST) return Buffer.alloc(0)
  return collectBuffer(view.read(path, options), MOST, path)
}

/** A view of one layer; of those below too if it has hard links to them. */
async function viewOf({ store, layers, options }: Reading, layer: number): Promise<UnionView> {
  const all = layers.slice(0, layer + 1).map(each => each.layer)
  try {
    return await openUnionView(store, all.slice(-1), options)
  } catch (error) {
    if (!(error instanceof RootfsError) || error.code !== 'ERR_INVALID_LINK') throw error
    return openUnionView(store, all, options)
  }
}

function keyOf({ name, version, architecture }: StatedPackage): string {
  return [name, version, architecture].join('\0')
}
