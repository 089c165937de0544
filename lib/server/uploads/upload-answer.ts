import type { Answer } from '../answer.ts'
import { type UploadPosition, uploadHeaders } from './upload-headers.ts'

/** Where an upload stands: its address and the bytes that have arrived. */
export function uploadAnswer(status: number, session: UploadPosition): Answer {
  return { status, headers: uploadHeaders(session) }
}

/** The answer when a blob has been stored. */
export function storedAnswer(path: string, digest: string): Answer {
  return { status: 201, headers: { Location: `/v2/${path}/blobs/${digest}`, 'Docker-Content-Digest': digest } }
}
