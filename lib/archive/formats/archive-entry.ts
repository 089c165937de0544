import type { Descriptor } from '../../oci/index.ts'

/** An image as the list of an archive states it, before its documents are read. */
export type ArchiveEntry = LayoutEntry | DockerEntry

/** Members of every kind of entry. */
interface NamedEntry {
  /** Names for a store, in the form in which a store keeps them. */
  readonly names: readonly string[]
  /** Names as the archive spells them, including those that are no references. */
  readonly labels: readonly string[]
}

/** An image in the `index.json` of a layout. */
export interface LayoutEntry extends NamedEntry {
  readonly kind: 'oci'
  readonly descriptor: Descriptor
}

/** An image in docker's `manifest.json`. */
export interface DockerEntry extends NamedEntry {
  readonly kind: 'docker'
  /** Position in the list, for errors. */
  readonly at: string
  /** Path of the config. */
  readonly config: string
  /** Paths of the layers, lowest first. */
  readonly layers: readonly string[]
}
