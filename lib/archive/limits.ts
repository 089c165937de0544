/** Bounds of what an archive may make a reader keep in memory. */
export const ArchiveLimits = {
  /** Bytes of `oci-layout`. */
  layoutBytes: 4096,
  /** Bytes of `index.json`, which may name many images. */
  indexBytes: 4 * 1024 * 1024,
  /** Bytes of the `manifest.json` of docker. */
  dockerManifestBytes: 1024 * 1024,
  /** Entries. */
  entries: 100_000,
  /** Characters of all names together. */
  nameLength: 16 * 1024 * 1024,
  /** Symbolic links from a name to its file. */
  hops: 10,
} as const
