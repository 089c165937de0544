import type { FoundPackage, PackageList } from '../sbom/package-list.ts'
import { isEcosystemOf, ORDERS } from './package-order.ts'

/**
 * Lists the packages of an image that advisories of some ecosystems (`Debian:12`, `npm`) cannot concern: none is that
 * of the package, or its versions have no order here (rpm). A gate that finds nothing about them has not checked them.
 *
 * @example
 * ```ts
 * const list = await readPackages(store, 'app:1.0')
 * console.log(uncheckedPackages(list, ['npm', 'Debian:12']).map(({ purl }) => purl))
 * ```
 */
export function uncheckedPackages(list: PackageList, ecosystems: Iterable<string>): FoundPackage[] {
  const known = [...new Set(ecosystems)]
  const isChecked = (one: FoundPackage) =>
    (ORDERS[one.type] !== undefined || one.type === 'maven') && known.some(each => isEcosystemOf(each, one, list.os))
  return list.packages.filter(one => !isChecked(one))
}
