import type { Descriptor } from '../../oci/index.ts'

/** An image as the list of an archive has it, before anything of it has been read. */
export type ArchiveEntry = LayoutEntry | DockerEntry

/** What every kind of entry has. */
interface NamedEntry {
  /** Names for a store, as it keeps them. */
  readonly names: readonly string[]
  /** Names as they stand in the archive, also those that are no references. */
  readonly labels: readonly string[]
}

/** An image in the `index.json` of a layout. */
export interface LayoutEntry extends NamedEntry {
  readonly kind: 'oci'
  readonly descriptor: Descriptor
}

/** An image in the `manifest.json` of docker. */
export interface DockerEntry extends NamedEntry {
  readonly kind: 'docker'
  /** Where in the list, for errors. */
  readonly at: string
  /** Path of its config. */
  readonly config: string
  /** Paths of its layers, lowest first. */
  readonly layers: readonly string[]
}
