import { openUnionView } from '../../rootfs/index.ts'
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
    if (!layers[i]!.files.has(entry.path)) continue
    since = carried(since, parsed(parse, await bytesIn(reading, i, entry.path)), i)
  }
  const bytes = await collectBuffer(view.read(entry.path, reading.options), MOST, entry.path)
  const stated = parsed(parse, bytes, reason => unread.push({ path: entry.path, reason }))
  since = carried(since, stated, entry.layer)
  return stated.map(each => ({ stated: each, path: entry.path, layer: since.get(keyOf(each))! }))
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
async function bytesIn({ store, layers, options }: Reading, layer: number, path: string): Promise<Buffer> {
  const view = await openUnionView(store, [layers[layer]!.layer], options)
  const entry = view.stat(path)
  if (entry?.type !== 'file' || entry.size > MOST) return Buffer.alloc(0)
  return collectBuffer(view.read(path, options), MOST, path)
}

function keyOf({ name, version, architecture }: StatedPackage): string {
  return [name, version, architecture].join('\0')
}
