import { isLicenseExpression } from './license-expression.ts'
import type { FoundPackage, PackageList } from './package-list.ts'
import { type SbomOptions, timeOf } from './to-cyclonedx.ts'

const NONE = 'NOASSERTION'
const IMAGE = 'SPDXRef-image'

/**
 * Makes an SPDX 2.3 document of the packages of an image: the image contains each package, with its package URL, the
 * licence that it states, and the file and layer that it was found in. Equal input gives equal bytes.
 *
 * @example
 * ```ts
 * const list = await readPackages(store, 'app:1.0')
 * process.stdout.write(JSON.stringify(toSpdx(list, { name: 'app:1.0' }), null, 2))
 * ```
 *
 * @see {@link https://spdx.github.io/spdx-spec/v2.3/ | SPDX 2.3}
 */
export function toSpdx(list: PackageList, options: SbomOptions): Record<string, unknown> {
  const hex = list.digest.slice(list.digest.indexOf(':') + 1)
  const packages = list.packages.map((each, i) => describe(each, `SPDXRef-package-${i + 1}`))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: options.name,
    documentNamespace: `https://spdx.org/spdxdocs/layerstore-${hex}`,
    creationInfo: { created: timeOf(list, options), creators: ['Tool: layerstore'] },
    packages: [
      {
        name: options.name,
        SPDXID: IMAGE,
        versionInfo: list.digest,
        primaryPackagePurpose: 'CONTAINER',
        downloadLocation: NONE,
        filesAnalyzed: false,
        licenseConcluded: NONE,
        licenseDeclared: NONE,
        copyrightText: NONE,
        supplier: NONE,
      },
      ...packages,
    ],
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE),
      ...packages.map(({ SPDXID }) => relation(IMAGE, 'CONTAINS', SPDXID)),
    ],
  }
}

function describe({ name, version, license, purl, path, diffId }: FoundPackage, SPDXID: string) {
  const isExpression = license !== undefined && isLicenseExpression(license)
  return {
    name,
    SPDXID,
    versionInfo: version,
    supplier: NONE,
    downloadLocation: NONE,
    filesAnalyzed: false,
    sourceInfo: `found in /${path}, brought by layer ${diffId}`,
    licenseConcluded: NONE,
    licenseDeclared: isExpression ? license : NONE,
    ...(license !== undefined && !isExpression ? { licenseComments: `The package states: ${license}` } : {}),
    copyrightText: NONE,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }
}

function relation(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement }
}
