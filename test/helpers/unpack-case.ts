import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unpackArchives } from '../../lib/rootfs/unpack/unpack-archives.ts'
import type { UnpackOptions } from '../../lib/rootfs/unpack/unpack-options.ts'
import type { UnpackReport } from '../../lib/rootfs/unpack/unpack-report.ts'
import { listTree, type TreeEntry } from './list-tree.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Outcome of unpacking hand-made layers beside files that must not change. */
export interface UnpackOutcome {
  /** The target directory. */
  root: string
  /** Directory beside it that holds the canary. */
  outside: string
  report?: UnpackReport
  error?: Error & { code?: string; path?: string }
  /** State of the files outside the root after the unpack. */
  canary: 'untouched' | TreeEntry[]
  /** Entries of the parent directory, without the content of the root. */
  leftBeside: string[]
}

/** Files that must not change. `root-evil` detects checks by string prefix. */
export const CANARY = ['outside/secret', 'outside/dir/inner', 'root-evil/secret'] as const

/**
 * Unpacks layers (archives, or entries for them) into `root` in a new directory, with a canary beside it. `{outside}`
 * in links and paths becomes the absolute path of the directory with the canary.
 */
export async function unpackCase(
  layers: (place: { outside: string; base: string }) => readonly (readonly RawEntry[] | Buffer)[],
  options: UnpackOptions = {},
): Promise<UnpackOutcome & Disposable> {
  const place = temporaryDirectory('unpack')
  chmodSync(place.path, 0o755)
  const [root, outside] = [join(place.path, 'root'), join(place.path, 'outside')]
  for (const file of CANARY) {
    mkdirSync(join(place.path, file, '..'), { recursive: true })
    writeFileSync(join(place.path, file), 'canary', { mode: 0o640 })
  }
  const before = listBeside(place.path)
  const outcome: Partial<UnpackOutcome> = { root, outside }
  const sources = layers({ outside, base: place.path }).map((layer, i) => {
    const bytes = Buffer.isBuffer(layer) ? layer : rawTar(layer as readonly RawEntry[])
    return { name: `sha256:${i}`, open: () => [bytes] }
  })
  try {
    outcome.report = await unpackArchives(sources, root, { writer: 'inline', ...options })
  } catch (error) {
    outcome.error = error as Error
  }
  const after = listBeside(place.path)
  return Object.assign(outcome as UnpackOutcome, {
    canary: JSON.stringify(after) === JSON.stringify(before) ? ('untouched' as const) : after,
    leftBeside: [...new Set(after.map(entry => entry.path.split('/')[0] as string))],
    [Symbol.dispose]: () => place[Symbol.dispose](),
  })
}

function listBeside(base: string): TreeEntry[] {
  return listTree(base).filter(({ path }) => path !== 'root' && !path.startsWith('root/'))
}
