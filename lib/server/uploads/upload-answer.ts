import type { Answer } from '../answer.ts'
import { type UploadPosition, uploadHeaders } from './upload-headers.ts'

/** Answer with the address and offset of an upload. */
export function uploadAnswer(status: number, session: UploadPosition): Answer {
  return { status, headers: uploadHeaders(session) }
}

/** Answer after a blob was stored. */
export function storedAnswer(path: string, digest: string): Answer {
  return { status: 201, headers: { Location: `/v2/${path}/blobs/${digest}`, 'Docker-Content-Digest': digest } }
}
