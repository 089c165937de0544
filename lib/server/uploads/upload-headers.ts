/** What is said of an upload. */
export interface UploadPosition {
  readonly path: string
  readonly id: string
  readonly offset: number
  readonly minChunkBytes: number
}

/** SPEC: `Range` is inclusive, without unit; of nothing it is `0-0`, as other registries say it (distribution-spec). */
export function uploadHeaders({ path, id, offset, minChunkBytes }: UploadPosition): Record<string, string> {
  return {
    Location: `/v2/${path}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': id,
    ...(minChunkBytes > 0 ? { 'OCI-Chunk-Min-Length': `${minChunkBytes}` } : {}),
  }
}
