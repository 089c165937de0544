import type { RemoteSource } from '../../dockerfile/index.ts'
import type { Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import {
  type ImageStatement,
  makeStatement,
  PredicateType,
  putAttestations,
  readPackages,
  toSpdx,
} from '../../trust/index.ts'
import type { ImagePlan } from '../build-plan.ts'
import { contextDigest } from '../context/context-digest.ts'
import type { BuildSession } from '../session/build-session.ts'
import { dockerReferenceUrl } from './docker-reference-url.ts'
import { makeProvenance, remotesOf } from './make-provenance.ts'
import type { BuildAttestations } from './provenance-options.ts'

/** Images, and the wanted statements about them. */
export interface Attesting extends AbortOptions, BuildAttestations {
  /** The images, with their plans in the same order. */
  readonly images: readonly (Image & { readonly platform: string })[]
  readonly plans: readonly ImagePlan[]
  /** Names that the images get. */
  readonly names: readonly string[]
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly startedOn: string
  readonly finishedOn: string
}

/** Stores statements about each image. Resolves to their entries for the index. */
export async function attestImages(session: BuildSession, attesting: Attesting): Promise<Descriptor[]> {
  const { images, plans, provenance, sbom, names, labels, startedOn, finishedOn, signal } = attesting
  const opened = session.contexts.get('')
  const context = provenance && opened ? await contextDigest(opened, { signal }) : undefined
  const entries: Descriptor[] = []
  for (const [i, image] of images.entries()) {
    const { digest } = image.descriptor
    const urls = names.map(name => dockerReferenceUrl(name, image.platform))
    const about = { digest, ...(urls.length > 0 ? { names: urls } : {}) } as const
    const statements: ImageStatement[] = []
    if (sbom) {
      await session.assureLayers(image.layers, { mayFetch: true, signal })
      const predicate = toSpdx(await readPackages(session.store, image, { signal }), { name: names[0] ?? digest })
      statements.push(makeStatement({ ...about, predicateType: PredicateType.Spdx, predicate }))
    }
    if (provenance) {
      const plan = plans[i]!
      const fetched = await fetchedBy(session, plan)
      const predicate = makeProvenance({ image: plan, fetched, context, labels, startedOn, finishedOn }, provenance)
      statements.push(makeStatement({ ...about, predicateType: PredicateType.Provenance, predicate }))
    }
    if (statements.length > 0)
      entries.push(await putAttestations(session.store, image.descriptor, statements, { signal }))
  }
  return entries
}

/** Digests of the files that ADD downloaded, and commits of the repositories. A build that is cached asks for both. */
async function fetchedBy(session: BuildSession, { stages }: ImagePlan): Promise<Map<RemoteSource, string>> {
  const found = new Map<RemoteSource, string>()
  for (const remote of remotesOf(stages)) {
    const fixed = 'git' in remote ? (await session.git.knownCommit(remote))?.commit : session.downloads.get(remote.url)
    if (fixed !== undefined) found.set(remote, fixed)
  }
  return found
}
