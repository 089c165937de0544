import type { FoundPackage, PackageList } from '../sbom/package-list.ts'
import { isEcosystemOf } from './package-order.ts'

/**
 * Lists the packages of an image that advisories of some ecosystems (`Debian:12`, `npm`) cannot concern, because none
 * is that of the package. A gate that finds nothing about them has not checked them.
 *
 * @example
 * ```ts
 * const list = await readPackages(store, 'app:1.0')
 * console.log(uncheckedPackages(list, ['npm', 'Debian:12']).map(({ purl }) => purl))
 * ```
 */
export function uncheckedPackages(list: PackageList, ecosystems: Iterable<string>): FoundPackage[] {
  const known = [...new Set(ecosystems)]
  return list.packages.filter(one => !known.some(each => isEcosystemOf(each, one, list.os)))
}
