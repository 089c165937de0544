import type { Image } from '../../../image/index.ts'
import type { Descriptor } from '../../../oci/index.ts'
import type { Store } from '../../../store/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { findToCompose } from '../../places/find-to-compose.ts'
import { checkResult, keepResult, type ResultOptions } from '../../results/keep-result.ts'
import type { Session } from '../../session/session.ts'
import { checkPolicyFile, type PolicyOption } from '../../signing/policy-of.ts'
import { addLayers } from './added-layers.ts'
import { chosenLayers } from './chosen-layers.ts'
import { type EditOptions, type Edits, editsOf } from './edit-options.ts'
import { type WritingOptions, writingPolicies } from './writing-policies.ts'

/** Options of `edit`. */
export interface EditCommandOptions extends EditOptions, WritingOptions, ResultOptions, PolicyOption {
  readonly dir?: readonly string[]
  readonly file?: readonly string[]
}

/**
 * `edit NAME … -t NEW`: changes an image, or all images of an index, without building it; names the result, pushes it,
 * and prints its digest. The order is: layers are dropped, squashed and added, the run configuration is changed, then
 * documents and layers are converted.
 */
export async function edit(session: Session, name: string, options: EditCommandOptions): Promise<void> {
  await checkResult('edit', options)
  await checkPolicyFile(options)
  const edits = editsOf(options)
  const adding = { dir: options.dir ?? [], file: options.file ?? [] }
  const addsLayers = adding.dir.length + adding.file.length > 0
  if (!edits.changes && !addsLayers) throw new UsageError('edit needs something to change; see layerstore edit --help')
  const writing = await writingPolicies(options)
  const store = await session.store()
  const { signal } = session
  await using _lease = await store.leases.hold({ label: 'edit', signal })
  const root = await findToCompose(session, store, name, options)
  const layers = await addLayers(session, store, adding, writing)
  const editOne = (image: Image) => editOneImage(session, store, image, edits, layers)
  const changed = edits.onlyConverts && !addsLayers ? root : await editAll(session, store, root, edits, editOne)
  const { convertImage } = await import('../../../image/index.ts')
  const descriptor = edits.convert ? await convertImage(store, changed, { ...edits.convert, signal }) : changed
  await keepResult(session, store, { descriptor }, options)
}

/** Edits one image, the image of a platform, or all images of an index. */
async function editAll(
  session: Session,
  store: Store,
  root: Descriptor,
  { platform }: Edits,
  editOne: (image: Image) => Promise<Image>,
): Promise<Descriptor> {
  const { composeIndex, readImage, readImageDocument } = await import('../../../image/index.ts')
  const { signal } = session
  const document = await readImageDocument(store, root, { signal })
  if (document.kind === 'manifest' || platform !== undefined) {
    const image = await readImage(store, root, { signal, ...(platform === undefined ? {} : { platform }) })
    return (await editOne(image)).descriptor
  }
  const images = []
  for (const entry of document.index.manifests) {
    if (entry.platform?.os === 'unknown' || entry.annotations?.['vnd.docker.reference.digest']) continue
    const image = await readImage(store, entry, { signal })
    const { descriptor } = await editOne(image)
    const { platform: said, annotations } = entry
    images.push({ image: descriptor, platform: said, annotations })
  }
  return (await composeIndex(store, { extend: root, images, signal })).descriptor
}

async function editOneImage(
  session: Session,
  store: Store,
  image: Image,
  edits: Edits,
  added: Awaited<ReturnType<typeof addLayers>>,
): Promise<Image> {
  const { editImage } = await import('../../../image/index.ts')
  const { signal } = session
  const { created } = edits.image
  const drop = edits.drop.flatMap(text => chosenLayers('--drop-layer', text, image))
  const kept = drop.length > 0 ? await editImage(store, image, { drop, signal }) : image
  const squashed = edits.squash === undefined ? kept : await squash(session, store, kept, edits.squash, created)
  return editImage(store, squashed, { ...edits.image, layers: added, signal })
}

async function squash(
  session: Session,
  store: Store,
  image: Image,
  text: string,
  created: string | undefined,
): Promise<Image> {
  const { squashImage } = await import('../../../rootfs/index.ts')
  const { refuseMissingLayers } = await import('../../reading/refuse-missing-layers.ts')
  const { signal, hasher } = session
  const layers = text === 'all' ? undefined : chosenLayers('--squash', text, image)
  await refuseMissingLayers(store, image, signal)
  return squashImage(store, image, { layers, created, signal, hasher })
}
