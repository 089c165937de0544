import type { Digest } from '../../../digest/index.ts'
import { parseReference } from '../../../oci/index.ts'
import { createMemoryStore } from '../../../store/index.ts'
import type { PackageList } from '../../../trust/index.ts'
import type { Session } from '../../session/session.ts'

/** Formats of a document, with their media types. */
const TYPES = { spdx: 'application/spdx+json', cyclonedx: 'application/vnd.cyclonedx+json' }

/** Form of the document. */
export interface AttachedSbom {
  readonly format: 'spdx' | 'cyclonedx'
  /** True for a statement about the image, false for the document alone. */
  readonly isStatement: boolean
}

/** `sbom NAME --attach` and `--attest`: pushes the document beside the image, as a referrer of its manifest. */
export async function attachSbom(
  session: Session,
  name: string,
  list: PackageList,
  { format, isStatement }: AttachedSbom,
): Promise<void> {
  const { makeStatement, PredicateType, putAttestations, toCycloneDx, toSpdx } = await import('../../../trust/index.ts')
  const { attachArtifact, pushImage } = await import('../../../transfer/index.ts')
  const { registry: host, repository } = parseReference(name)
  const subject = { registry: host, repository, digest: list.digest }
  const registry = await session.registry()
  const { signal } = session
  const document = (format === 'spdx' ? toSpdx : toCycloneDx)(list, { name })
  if (!isStatement) {
    const content = `${JSON.stringify(document)}\n`
    const layers = [{ content, mediaType: TYPES[format], title: `sbom.${format}.json` }]
    const { descriptor } = await attachArtifact(registry, subject, { artifactType: TYPES[format], layers, signal })
    return session.result(descriptor.digest, { ...descriptor, subject: list.digest })
  }
  const store = createMemoryStore()
  const predicateType = format === 'spdx' ? PredicateType.Spdx : PredicateType.CycloneDx
  const statement = makeStatement({ digest: list.digest, names: [name], predicateType, predicate: document })
  const resolved = await registry.resolve(subject, { signal })
  const entry = await putAttestations(store, resolved, [statement], { signal })
  const descriptor = { mediaType: entry.mediaType, digest: entry.digest as Digest, size: entry.size }
  await pushImage(
    store,
    registry,
    { descriptor },
    { registry: host, repository, digest: descriptor.digest },
    { signal },
  )
  session.result(descriptor.digest, { ...descriptor, subject: list.digest })
}
