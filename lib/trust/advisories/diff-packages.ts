import type { FoundPackage, PackageList, PackageType } from '../sbom/package-list.ts'
import { ORDERS } from './package-order.ts'

/** A package that two images have in different versions. */
export interface PackageChange {
  /** Kind of the package. */
  readonly type: PackageType
  /** Name of the package. */
  readonly name: string
  /** Versions of the older image that the newer one lacks, sorted. */
  readonly before: readonly string[]
  /** Versions of the newer image that the older one lacks, sorted. */
  readonly after: readonly string[]
  /**
   * Direction of the change, in the order of versions of its kind. Absent for several versions, for two spellings of
   * the same one, and for Maven, whose versions have no order here.
   */
  readonly direction?: 'upgrade' | 'downgrade' | undefined
}

/** Differences between the packages of two images. Each list is sorted by type and name. */
export interface PackagesDiff {
  /** Packages that only the newer image has. */
  readonly added: readonly FoundPackage[]
  /** Packages that only the older image has. */
  readonly removed: readonly FoundPackage[]
  /** Packages that both images have, in different versions. */
  readonly changed: readonly PackageChange[]
}

/**
 * Compares the packages of two images by type, name and version. Of a package that is there several times, as with
 * npm, each version counts once. Architecture, place and layer are not compared.
 *
 * @example
 * ```ts
 * const { added, changed } = diffPackages(await readPackages(store, 'app:1.0'), await readPackages(store, 'app:1.1'))
 * console.log(added.map(({ purl }) => purl), changed)
 * ```
 */
export function diffPackages(older: PackageList, newer: PackageList): PackagesDiff {
  const [before, after] = [byName(older), byName(newer)]
  const added = [...after].flatMap(([key, versions]) => (before.has(key) ? [] : [...versions.values()]))
  const removed = [...before].flatMap(([key, versions]) => (after.has(key) ? [] : [...versions.values()]))
  const changed = [...after].flatMap(([key, versions]) => {
    const old = before.get(key)
    if (!old) return []
    const [gone, come] = [lacking(old, versions), lacking(versions, old)]
    const [{ type, name }] = [...versions.values()] as [FoundPackage]
    if (gone.length + come.length === 0) return []
    return [{ type, name, before: gone, after: come, ...directionOf(type, gone, come) }]
  })
  return { added, removed, changed }
}

function directionOf(
  type: PackageType,
  [before, ...otherBefore]: readonly string[],
  [after, ...otherAfter]: readonly string[],
): Pick<PackageChange, 'direction'> {
  if (before === undefined || after === undefined || otherBefore.length + otherAfter.length > 0) return {}
  const order = ORDERS[type]?.(before, after) ?? 0
  return order === 0 ? {} : { direction: order < 0 ? 'upgrade' : 'downgrade' }
}

/** Packages by type and name, each with its versions. */
function byName({ packages }: PackageList): Map<string, Map<string, FoundPackage>> {
  const found = new Map<string, Map<string, FoundPackage>>()
  for (const each of packages) {
    const key = `${each.type} ${each.name}`
    const versions = found.get(key) ?? new Map<string, FoundPackage>()
    found.set(key, versions)
    if (!versions.has(each.version)) versions.set(each.version, each)
  }
  return found
}

function lacking(versions: Map<string, FoundPackage>, other: Map<string, FoundPackage>): string[] {
  return [...versions.keys()].filter(version => !other.has(version)).sort()
}
