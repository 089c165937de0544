import type { DigestAlgorithm } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { uploadAnswer } from './upload-answer.ts'
import { uploadHeaders } from './upload-headers.ts'
import type { UploadSession } from './upload-session.ts'

/** PATCH of an upload: appends the body. */
export async function appendUpload(call: Call, route: { readonly path: string; readonly id: string }): Promise<Answer> {
  const session = await call.uploads.find(route, call.client)
  try {
    await addBody(call, session)
  } finally {
    await call.uploads.release(session)
  }
  return uploadAnswer(202, session)
}

/** Appends the body of a request to an upload, if it is the next chunk; for `last` see {@link UploadSession.append}. */
export async function addBody({ request }: Call, session: UploadSession, last?: DigestAlgorithm): Promise<void> {
  const length = announcedLength(request.headers['content-range'], session)
  const said = request.headers['content-length']
  if (length !== undefined && said !== undefined && Number(said) !== length) throw wrongSize(session)
  const before = session.offset
  const bytes = length ?? (said === undefined ? undefined : Number(said))
  await session.append(bounded(request.iterator({ destroyOnReturn: false }), length, session), { bytes, last })
  if (length !== undefined && session.offset - before !== length) throw wrongSize(session)
}

/**
 * Length that `Content-Range` announces. SPEC: its form is `start-end`, inclusive; a chunk out of order is answered
 * with 416 (distribution-spec, end-5).
 */
function announcedLength(header: string | undefined, session: UploadSession): number | undefined {
  if (header === undefined) return undefined
  const match = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim())
  const [start, end] = [Number(match?.[1]), Number(match?.[2])]
  if (match && start === session.offset && end >= start) return end - start + 1
  const message = 'Content-Range does not continue the upload; Range says which bytes it has'
  throw new Fault(416, { code: 'BLOB_UPLOAD_INVALID', message }, uploadHeaders(session))
}

/** Passes chunks on; throws before it passes on more bytes than announced. */
async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  length: number | undefined,
  session: UploadSession,
): AsyncGenerator<Uint8Array, void, undefined> {
  let taken = 0
  for await (const chunk of chunks) {
    taken += chunk.byteLength
    if (length !== undefined && taken > length) throw wrongSize(session)
    yield chunk
  }
}

function wrongSize(session: UploadSession): Fault {
  const message = 'the body does not have the announced size'
  return new Fault(400, { code: 'SIZE_INVALID', message }, uploadHeaders(session))
}
