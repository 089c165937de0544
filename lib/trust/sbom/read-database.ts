import { collectBytes } from '../../internal/collect-bytes.ts'
import { openUnionView } from '../../rootfs/index.ts'
import type { StatedPackage } from './ecosystems/stated-package.ts'
import type { Reading } from './reading.ts'

/** Most bytes of a database. */
const MOST = 64 * 1024 * 1024

/** A package of a database. */
interface Recorded {
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
  parse: (text: string) => StatedPackage[],
): Promise<Recorded[]> {
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
    since = carried(since, parse(await textIn(reading, i, entry.path)), i)
  }
  const text = await collectBytes(view.read(entry.path, reading.options), MOST, entry.path)
  const stated = parse(Buffer.from(text).toString('utf8'))
  since = carried(since, stated, entry.layer)
  return stated.map(each => ({ stated: each, path: entry.path, layer: since.get(keyOf(each))! }))
}

/** Layers of the packages of a database, given those of the database below. */
function carried(below: Map<string, number>, stated: readonly StatedPackage[], layer: number): Map<string, number> {
  return new Map(stated.map(each => [keyOf(each), below.get(keyOf(each)) ?? layer]))
}

/** Text of a file as one lower layer has it; empty if it is too large to be a database. */
async function textIn({ store, layers, options }: Reading, layer: number, path: string): Promise<string> {
  const view = await openUnionView(store, [layers[layer]!.layer], options)
  const entry = view.stat(path)
  if (entry?.type !== 'file' || entry.size > MOST) return ''
  return Buffer.from(await collectBytes(view.read(path, options), MOST, path)).toString('utf8')
}

function keyOf({ name, version, architecture }: StatedPackage): string {
  return [name, version, architecture].join('\0')
}
