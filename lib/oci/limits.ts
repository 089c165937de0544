/** Limits for every document, from any source. */
export const Limits = {
  /** Size of a manifest or index in bytes: 4 MiB. SPEC: registries must accept this size; most clients reject more. */
  manifestBytes: 4 * 1024 * 1024,
  /** Size of an image config in bytes. */
  configBytes: 4 * 1024 * 1024,
  /** Depth of nested JSON. */
  jsonDepth: 64,
  /** Number of layers of one image. */
  layers: 1000,
  /** Depth of indexes inside indexes. */
  indexDepth: 4,
} as const
