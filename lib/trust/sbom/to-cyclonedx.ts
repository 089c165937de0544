import { isLicenseExpression } from './license-expression.ts'
import type { FoundPackage, PackageList, PackageType } from './package-list.ts'

/** Options of `toSpdx` and {@link toCycloneDx}. */
export interface SbomOptions {
  /** Name of the image, as people know it. */
  readonly name: string
  /** Time of the document. @defaultValue the time at which the image was made, else 1970 */
  readonly created?: Date | undefined
}

/**
 * Makes a CycloneDX 1.6 document of the packages of an image, each with its package URL, the licence that it states,
 * the file that it was found in as evidence, and its layer as a property. Equal input gives equal bytes.
 *
 * @example
 * ```ts
 * const list = await readPackages(store, 'app:1.0')
 * process.stdout.write(JSON.stringify(toCycloneDx(list, { name: 'app:1.0' }), null, 2))
 * ```
 *
 * @see {@link https://cyclonedx.org/docs/1.6/json/ | CycloneDX 1.6}
 */
export function toCycloneDx(list: PackageList, options: SbomOptions): Record<string, unknown> {
  const { os } = list
  const system = os && {
    type: 'operating-system',
    'bom-ref': `os:${os.id}`,
    name: os.id,
    ...(os.version ? { version: os.version } : {}),
    ...(os.name ? { description: os.name } : {}),
  }
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: timeOf(list, options),
      tools: { components: [{ type: 'application', name: 'layerstore' }] },
      component: { type: 'container', 'bom-ref': list.digest, name: options.name, version: list.digest },
    },
    components: [...(system ? [system] : []), ...list.packages.map(describe)],
  }
}

/** Time of a document, in seconds: SPDX knows no smaller unit. */
export function timeOf(list: PackageList, { created }: SbomOptions): string {
  const time = created ?? new Date(list.created ?? 0)
  return (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Names with a group in them: a scope of npm, a group of Maven. */
const GROUPS: Partial<Record<PackageType, RegExp>> = { npm: /^(@[^/]+)\/(.+)$/, maven: /^([^:]+):(.+)$/ }

function describe({ type, name, version, license, purl, path, layer, diffId }: FoundPackage) {
  const [, scope, rest] = name.match(GROUPS[type] ?? /^$/) ?? []
  return {
    type: 'library',
    // One package may be in several places.
    'bom-ref': `${purl}#${path}`,
    ...(scope ? { group: scope } : {}),
    name: rest ?? name,
    version,
    ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
    purl,
    evidence: { occurrences: [{ location: `/${path}` }] },
    properties: [
      { name: 'layerstore:layer:index', value: String(layer) },
      { name: 'layerstore:layer:diffId', value: diffId },
    ],
  }
}

function licenseOf(license: string) {
  return isLicenseExpression(license) ? { expression: license } : { license: { name: license } }
}
