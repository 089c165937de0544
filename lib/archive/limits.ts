/** Limits on the memory that an archive may make a reader use. */
export const ArchiveLimits = {
  /** Size of `oci-layout` in bytes. */
  layoutBytes: 4096,
  /** Size of `index.json` in bytes; it may name many images. */
  indexBytes: 4 * 1024 * 1024,
  /** Size of docker's `manifest.json` in bytes. */
  dockerManifestBytes: 1024 * 1024,
  /** Number of entries. */
  entries: 100_000,
  /** Total length of all names in characters. */
  nameLength: 16 * 1024 * 1024,
  /** Number of symbolic links between a name and its file. */
  hops: 10,
} as const
