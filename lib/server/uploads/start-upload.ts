import { DIGEST_ALGORITHMS, type DigestAlgorithm, isDigest, splitDigest } from '../../digest/index.ts'
import { mayAccess } from '../access/require-access.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { wireDigest } from '../route.ts'
import type { RepositoryNames } from '../served-names.ts'
import { addBody } from './append-upload.ts'
import { commitUpload } from './finish-upload.ts'
import { storedAnswer, uploadAnswer } from './upload-answer.ts'

/** POST of an upload: mounts a blob of another repository, stores the body as a blob, or starts a chunked upload. */
export async function serveUploadStart(call: Call, route: RepositoryNames): Promise<Answer> {
  const { store, query, uploads, signal } = call
  const mount = query.get('mount')
  // SPEC: a mount that is not possible becomes an upload (distribution-spec, end-11).
  if (isDigest(mount) && (await mayMount(call, route)) && (await store.leases.touch(mount, { signal }))) {
    return storedAnswer(route.path, mount)
  }
  const whole = query.get('digest')
  const digest = whole === null ? undefined : wireDigest(whole)
  const algorithm = digest ? splitDigest(digest).algorithm : algorithmAsked(query)
  const session = uploads.start(route.path, algorithm, call.client)
  if (!digest) {
    await uploads.release(session)
    return uploadAnswer(202, session)
  }
  try {
    await addBody(call, session, algorithm)
    return await commitUpload(session, digest)
  } catch (error) {
    // The client has no address for this upload and cannot resume it.
    await session.abort()
    throw error
  }
}

/**
 * Whether a user may mount a blob.
 *
 * SAFETY: 201 reveals that the store has the blob. So the user needs pull access to the repository in `from`. Without
 * `from` pull access to the target is enough: HEAD there reveals the same, because all repositories share the blobs of
 * the store.
 */
async function mayMount(call: Call, { path }: RepositoryNames): Promise<boolean> {
  return (await mayAccess(call, 'pull', call.query.get('from') || path)) === true
}

function algorithmAsked(query: URLSearchParams): DigestAlgorithm {
  const mount = query.get('mount')
  const name = query.get('digest-algorithm') ?? (isDigest(mount) ? splitDigest(mount).algorithm : 'sha256')
  if (Object.hasOwn(DIGEST_ALGORITHMS, name)) return name as DigestAlgorithm
  throw new Fault(400, { code: 'DIGEST_INVALID', message: 'not a supported algorithm (sha256, sha512, blake3)' })
}
