/** Bounds that hold for every document, whoever sent it. */
export const Limits = {
  /** Bytes of a manifest or index: 4 MiB, what registries must accept and what most clients refuse beyond. */
  manifestBytes: 4 * 1024 * 1024,
  /** Bytes of an image config. */
  configBytes: 4 * 1024 * 1024,
  /** Levels of nested JSON. */
  jsonDepth: 64,
  /** Layers of one image. */
  layers: 1000,
  /** Indexes inside indexes. */
  indexDepth: 4,
} as const
