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

/** POST of an upload: take a blob over from another repository, take it in one piece, or begin to take it piece by piece. */
export async function startUpload(call: Call, route: RepositoryNames): Promise<Answer> {
  const { store, query, uploads, signal } = call
  const mount = query.get('mount')
  // SPEC: a mount that cannot be done becomes an upload (distribution-spec, end-11).
  if (isDigest(mount) && (await mayMount(call, route)) && (await store.leases.touch(mount, { signal }))) {
    return storedAnswer(route.path, mount)
  }
  const whole = query.get('digest')
  const digest = whole === null ? undefined : wireDigest(whole)
  const algorithm = digest ? splitDigest(digest).algorithm : algorithmAsked(query)
  const session = uploads.start(route.path, algorithm, call.client)
  if (!digest) return uploadAnswer(202, session)
  try {
    await addBody(call, session, algorithm)
    return await commitUpload(session, digest)
  } catch (error) {
    // The client does not know the upload, so it cannot go on with it.
    await session.abort()
    throw error
  }
}

/**
 * Who may not read the other repository does not get to know what it has. Without `from` nothing is told that a HEAD would not
 * tell: every repository has all blobs of the store.
 */
async function mayMount(call: Call, { path }: RepositoryNames): Promise<boolean> {
  return (await mayAccess(call, 'pull', call.query.get('from') || path)) === true
}

function algorithmAsked(query: URLSearchParams): DigestAlgorithm {
  const mount = query.get('mount')
  const name = query.get('digest-algorithm') ?? (isDigest(mount) ? splitDigest(mount).algorithm : 'sha256')
  if (Object.hasOwn(DIGEST_ALGORITHMS, name)) return name as DigestAlgorithm
  throw new Fault(400, { code: 'DIGEST_INVALID', message: 'not an algorithm that this registry can compute' })
}
