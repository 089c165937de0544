import type { Image } from '../../../image/index.ts'
import { Annotation } from '../../../oci/index.ts'
import type { Store } from '../../../store/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { findBase } from '../../places/find-base.ts'
import { checkResult, keepResult, type ResultOptions } from '../../results/keep-result.ts'
import type { Session } from '../../session/session.ts'
import { checkPolicyFile, type PolicyOption } from '../../signing/policy-of.ts'
import { baseNote } from './append.ts'
import { pairsOf } from './run-config.ts'

/** Options of `rebase`. */
export interface RebaseOptions extends ResultOptions, PolicyOption {
  readonly onto: string
  readonly from?: string
  readonly platform?: string
}

/** `rebase NAME --onto BASE`: puts the layers of an image on another base, and prints the digest of the result. */
export async function rebase(session: Session, name: string, options: RebaseOptions): Promise<void> {
  await checkResult('rebase', options)
  await checkPolicyFile(options)
  const { rebaseImage } = await import('../../../image/index.ts')
  const store = await session.store()
  const { signal } = session
  await using _lease = await store.leases.hold({ label: 'rebase', signal })
  const image = await imageNamed(session, store, name, options)
  const from = await oldBase(session, store, image, options)
  const onto = await imageNamed(session, store, options.onto, options)
  const annotations = {
    ...(await baseNote(options.onto)),
    ...pairsOf('--annotation', options.annotation ?? []),
  }
  const rebased = await rebaseImage(store, image, { from, onto, annotations, signal })
  await keepResult(session, store, rebased, options, { layers: rebased.layers })
}

async function imageNamed(
  session: Session,
  store: Store,
  name: string,
  { platform, policy }: RebaseOptions,
): Promise<Image> {
  const image = await findBase(session, store, name, { platform, plain: 'error', policy })
  if (!image) throw new UsageError('scratch is no image: it has no layers to put on a base, and is none')
  return image
}

/** The old base is the one that the user names, else the one that the annotations of the image name. */
async function oldBase(session: Session, store: Store, image: Image, options: RebaseOptions): Promise<Image> {
  const { from } = options
  if (from !== undefined) return imageNamed(session, store, from, options)
  const { isDigest } = await import('../../../digest/index.ts')
  const notes = image.manifest.annotations ?? {}
  const [digest, name] = [notes[Annotation.BaseDigest], notes[Annotation.BaseName]]
  if (digest !== undefined && isDigest(digest)) {
    if (await store.stat(digest, { signal: session.signal })) return imageNamed(session, store, digest, options)
    if (name !== undefined) return imageNamed(session, store, `${name.replace(/:[^/]*$/, '')}@${digest}`, options)
  }
  throw new UsageError('the annotations of the image do not say where its base is: name it with --from BASE')
}
