import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { entryNames } from '../../keeping/entry-names.ts'
import { stackLife } from '../stack-owner.ts'
import type { SnapshotPlaces } from './snapshot-places.ts'

const LAYERS = 'layers.json'

/**
 * Notes in the directory of a stack which layers it holds. To be called before the layers are looked for: no collection
 * that begins afterwards removes one of them, as long as the process of the stack lives.
 */
export function holdLayers(stack: string, names: readonly string[]): void {
  writeFileSync(join(stack, LAYERS), JSON.stringify(names))
}

/** The names of layers that stacks hold: those of processes that are not certainly dead, and those that are mounted. */
export async function heldLayers(places: SnapshotPlaces): Promise<ReadonlySet<string>> {
  const held = new Set(await mountedLayers(places))
  // SAFETY: a directory that cannot be read may name layers that are held, so a collection must fail instead.
  for (const name of await entryNames(places.stacks)) {
    const stack = join(places.stacks, name)
    if ((await stackLife(stack)) === 'gone') continue
    for (const layer of await layersOf(stack)) held.add(layer)
  }
  return held
}

async function layersOf(stack: string): Promise<readonly string[]> {
  try {
    return JSON.parse(await readFile(join(stack, LAYERS), 'utf8')) as string[]
  } catch {
    // The stack is being opened or closed: it has mounted nothing yet, or nothing any more.
    return []
  }
}

/**
 * Names in the options of mounted overlays: those of a killed process are mounted until the next one comes. The kernel
 * shows lower directories as they were given, relative; a mount of another directory of snapshots is known by its upper
 * directory.
 */
async function mountedLayers({ directory, boot }: SnapshotPlaces): Promise<string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  const isOthers = (upper = '') => upper.includes(`/${boot}/`) && !upper.startsWith(`${directory}/`)
  return mounts
    .split('\n')
    .filter(line => line.includes(' - overlay ') && !isOthers(/upperdir=([^, ]*)/.exec(line)?.[1]))
    .flatMap(line => /lowerdir=([^, ]*)/.exec(line)?.[1]?.split(':') ?? [])
    .filter(path => /^[0-9a-f]+\/fs$/.test(path))
    .map(path => path.slice(0, path.indexOf('/')))
}
