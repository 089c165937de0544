import type { UnpackOptions } from '../../../lib/rootfs/unpack/unpack-options.ts'
import type { RawEntry } from '../raw-tar.ts'

/** Absolute paths that an attack may use. */
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
  /** Expected error code. */
  refused?: string
  /**
   * Expected tree, without implicit directories: `dir`, `file:content`, `link:target`, `fifo`, `device`, each with
   * `@mode` if the mode matters.
   */
  tree?: (place: AttackPlace) => Record<string, string>
  /** Expected skip report, as `what path`. @defaultValue nothing */
  skipped?: readonly string[]
  /** True if the expectation holds only with root; otherwise only the canary is compared. */
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
