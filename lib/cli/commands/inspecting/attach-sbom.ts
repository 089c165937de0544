import { parseReference } from '../../../oci/index.ts'
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
  const { attestationArtifact, makeStatement, PredicateType, toCycloneDx, toSpdx } = await import(
    '../../../trust/index.ts'
  )
  const { attachArtifact } = await import('../../../transfer/index.ts')
  const { registry: host, repository } = parseReference(name)
  const { signal } = session
  const document = (format === 'spdx' ? toSpdx : toCycloneDx)(list, { name })
  const asStatement = () => {
    const predicateType = format === 'spdx' ? PredicateType.Spdx : PredicateType.CycloneDx
    const statement = makeStatement({ digest: list.digest, names: [name], predicateType, predicate: document })
    return attestationArtifact([statement])
  }
  const asDocument = () => {
    const content = `${JSON.stringify(document)}\n`
    return {
      artifactType: TYPES[format],
      layers: [{ content, mediaType: TYPES[format], title: `sbom.${format}.json` }],
    }
  }
  const { descriptor } = await attachArtifact(
    await session.registry(),
    { registry: host, repository, digest: list.digest },
    { ...(isStatement ? asStatement() : asDocument()), signal },
  )
  session.result(descriptor.digest, { ...descriptor, subject: list.digest })
}
