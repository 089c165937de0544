import type { FoundPackage, PackageList } from '../sbom/package-list.ts'
import type { Advisory, AffectedPackage, RangeEvent, Severity } from './advisory.ts'
import { type AdvisedPackage, advisedAs, type CompareVersions, isEcosystemOf } from './package-order.ts'
import { isProduct, parseVex, type VexStatement } from './vex.ts'

/** A package that an advisory is about. */
export interface AdvisoryMatch {
  /** Identifier of the advisory. */
  readonly id: string
  /** Other identifiers of the same. */
  readonly aliases: readonly string[]
  /** Severity by CVSS 3, else in the words of the database; `unknown` if it has neither. */
  readonly severity: Severity
  /** One line about it. */
  readonly summary?: string | undefined
  /** The package. */
  readonly package: FoundPackage
  /** Versions in which it is fixed, as the advisory lists them. */
  readonly fixed: readonly string[]
  /** True if a VEX document says that the package is not affected, or fixed. */
  readonly isSuppressed: boolean
}

/** Options of {@link matchAdvisories}. */
export interface MatchAdvisoriesOptions {
  /** Texts of VEX documents, OpenVEX or CycloneDX. Of several statements about the same, the last one counts. */
  readonly vex?: readonly string[] | undefined
}

const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'unknown']

/**
 * Matches the packages of an image with advisories, by the order of versions of dpkg, apk, rpm, npm, PyPI and Go; those
 * of Maven by listed versions alone. Sorted by severity.
 *
 * @example
 * ```ts
 * const list = await readPackages(store, 'app:1.0')
 * const matches = await matchAdvisories(list, readAdvisories('osv/npm'))
 * console.log(matches.map(({ id, severity }) => `${severity} ${id}`))
 * ```
 *
 * @throws SyntaxError for a VEX document of another form; the errors of the advisories.
 */
export async function matchAdvisories(
  list: PackageList,
  advisories: AsyncIterable<Advisory> | Iterable<Advisory>,
  { vex = [] }: MatchAdvisoriesOptions = {},
): Promise<AdvisoryMatch[]> {
  const statements = vex.flatMap(parseVex)
  const byName = groupByName(list.packages)
  const matches: AdvisoryMatch[] = []
  for await (const { id, aliases, upstream = [], summary, affected } of advisories) {
    const seen = new Set<FoundPackage>()
    for (const one of affected) {
      for (const { found, advised } of byName.get(normalized(one)) ?? []) {
        if (seen.has(found) || !isEcosystemOf(one.ecosystem, found, list.os) || !isAffected(one, advised)) continue
        seen.add(found)
        const about = statements.filter(({ products }) =>
          products.some(product => isProduct(product, found.purl, list.digest)),
        )
        const fixed = one.ranges.flat().flatMap(({ kind, version }) => (kind === 'fixed' ? [version] : []))
        const isSuppressed = isCleared({ id, aliases, upstream }, about)
        const match = {
          id,
          aliases: [...aliases, ...upstream],
          severity: one.severity,
          package: found,
          fixed,
          isSuppressed,
        }
        matches.push({ ...match, ...(summary === undefined ? {} : { summary }) })
      }
    }
  }
  const order = ({ severity, id, package: { purl } }: AdvisoryMatch) => `${SEVERITIES.indexOf(severity)} ${id} ${purl}`
  return matches.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

function groupByName(packages: readonly FoundPackage[]) {
  const byName = new Map<string, { found: FoundPackage; advised: AdvisedPackage }[]>()
  for (const found of packages) {
    for (const advised of advisedAs(found)) {
      const group = byName.get(advised.name)
      if (group) group.push({ found, advised })
      else byName.set(advised.name, [{ found, advised }])
    }
  }
  return byName
}

/**
 * The last statement about an advisory decides. SAFETY: an advisory that sums up several vulnerabilities is cleared
 * only if each of them is.
 */
function isCleared(
  { id, aliases, upstream = [] }: Pick<Advisory, 'id' | 'aliases' | 'upstream'>,
  about: VexStatement[],
) {
  const last = (...known: string[]) => about.findLast(({ ids }) => known.some(one => ids.includes(one)))
  const own = last(id, ...aliases, ...(upstream.length === 1 ? upstream : []))
  if (own) return own.isCleared
  return upstream.length > 1 && upstream.every(one => last(one)?.isCleared)
}

function normalized({ ecosystem, name }: AffectedPackage): string {
  return ecosystem === 'PyPI' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name
}

function isAffected({ versions, ranges }: AffectedPackage, { version, compare }: AdvisedPackage): boolean {
  if (versions.includes(version)) return true
  return compare !== undefined && ranges.some(events => isWithin(version, events, compare))
}

const RANK = { fixed: 0, introduced: 1, last_affected: 2 } as const

/** SPEC: events in the order of their versions; the last one at or before the version decides. */
function isWithin(version: string, events: readonly RangeEvent[], compare: CompareVersions): boolean {
  const against = (other: string) => (other === '0' ? 1 : compare(version, other))
  const order = ({ version: other }: RangeEvent, { version: next }: RangeEvent) =>
    other === next ? 0 : other === '0' ? -1 : next === '0' ? 1 : compare(other, next)
  // A range of one version begins and ends with it; the end decides about later ones.
  const sorted = [...events].sort((a, b) => order(a, b) || RANK[a.kind] - RANK[b.kind])
  let isIn = false
  for (const { kind, version: other } of sorted) {
    if (kind === 'introduced' && against(other) >= 0) isIn = true
    else if (kind === 'fixed' && against(other) >= 0) isIn = false
    else if (kind === 'last_affected' && against(other) > 0) isIn = false
  }
  return isIn
}
