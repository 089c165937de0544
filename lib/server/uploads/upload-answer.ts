import type { Answer } from '../answer.ts'
import type { UploadSession } from './upload-sessions.ts'

/** Where an upload stands: its address and the bytes that have arrived. */
export function uploadAnswer(status: number, session: UploadSession): Answer {
  return { status, headers: uploadHeaders(session) }
}

/** SPEC: `Range` is inclusive, without unit; of nothing it is `0-0`, as other registries say it (distribution-spec). */
export function uploadHeaders({ path, id, offset, minChunkBytes }: UploadSession): Record<string, string> {
  return {
    Location: `/v2/${path}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': id,
    ...(minChunkBytes > 0 ? { 'OCI-Chunk-Min-Length': `${minChunkBytes}` } : {}),
  }
}

/** The answer when a blob has been stored. */
export function storedAnswer(path: string, digest: string): Answer {
  return { status: 201, headers: { Location: `/v2/${path}/blobs/${digest}`, 'Docker-Content-Digest': digest } }
}
