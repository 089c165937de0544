import type { UnpackOptions } from '../../../lib/rootfs/unpack/unpack-options.ts'
import type { RawEntry } from '../raw-tar.ts'

/** Absolute paths that an attack may aim at. */
export interface AttackPlace {
  /** Directory with the canary, beside the root. */
  outside: string
}

/** An attack: layers that try to escape the root or to confuse the unpacker, and the expected result. */
export interface Attack {
  /** Case name, as in the catalogue of hostile input. */
  name: string
  layers: (place: AttackPlace) => readonly (readonly RawEntry[])[]
  options?: UnpackOptions
  /** Code of the error that it has to end with. */
  refused?: string
  /**
   * The whole tree that it has to end with, implicit directories left out: `dir`, `file:content`, `link:target`,
   * `fifo`, `device`, each with `@mode` if that matters.
   */
  tree?: (place: AttackPlace) => Record<string, string>
  /** Expected skip report, as `what path`. @defaultValue nothing */
  skipped?: readonly string[]
  /** Whether it means something else without root: then only the canary is looked at. */
  needsRoot?: boolean
}

/** An entry for a file. */
export const file = (path: string | Buffer, content = 'new', more: Partial<RawEntry> = {}): RawEntry => ({
  path,
  content,
  ...more,
})

/** An entry for a directory. */
export const directory = (path: string, more: Partial<RawEntry> = {}): RawEntry => ({ path: `${path}/`, ...more })

/** An entry for a symbolic link. */
export const symlink = (path: string, link: string, more: Partial<RawEntry> = {}): RawEntry => ({
  path,
  link,
  type: '2',
  ...more,
})

/** An entry for a hard link. */
export const hardLink = (path: string, link: string, more: Partial<RawEntry> = {}): RawEntry => ({
  path,
  link,
  type: '1',
  ...more,
})
