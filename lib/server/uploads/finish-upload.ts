import { type Digest, splitDigest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { wireDigest } from '../route.ts'
import { addBody } from './append-upload.ts'
import { storedAnswer } from './upload-answer.ts'
import type { UploadSession } from './upload-session.ts'

/** PUT of an upload: appends the body, if there is one, and commits the blob. */
export async function finishUpload(call: Call, route: { readonly path: string; readonly id: string }): Promise<Answer> {
  const session = await call.uploads.find(route, call.client)
  const digest = wireDigest(call.query.get('digest') ?? '')
  const { 'content-length': length, 'transfer-encoding': encoding } = call.request.headers
  try {
    if (encoding !== undefined || Number(length ?? 0) > 0) await addBody(call, session, splitDigest(digest).algorithm)
    return await commitUpload(session, digest)
  } finally {
    await call.uploads.release(session)
  }
}

/** Commits an upload whose bytes have all arrived. */
export async function commitUpload(session: UploadSession, digest: Digest): Promise<Answer> {
  await session.commit(digest)
  return storedAnswer(session.path, digest)
}
