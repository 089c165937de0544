/** Address and offset of an upload. */
export interface UploadPosition {
  readonly path: string
  readonly id: string
  readonly offset: number
  readonly minChunkBytes: number
}

/**
 * Headers that describe an upload. SPEC: `Range` is inclusive and has no unit (distribution-spec, end-5); an empty
 * upload has `0-0`, as in docker-registry (distribution).
 */
export function uploadHeaders({ path, id, offset, minChunkBytes }: UploadPosition): Record<string, string> {
  return {
    Location: `/v2/${path}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': id,
    ...(minChunkBytes > 0 ? { 'OCI-Chunk-Min-Length': `${minChunkBytes}` } : {}),
  }
}
