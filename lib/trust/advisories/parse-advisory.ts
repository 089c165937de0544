import type { Advisory, AffectedPackage, RangeEvent, Severity } from './advisory.ts'
import { cvssScore } from './cvss-score.ts'

const WORDS = new Map<string, Severity>([
  ['negligible', 'low'],
  ['low', 'low'],
  ['moderate', 'medium'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['important', 'high'],
  ['critical', 'critical'],
])
const EVENTS = ['introduced', 'fixed', 'last_affected'] as const

type Json = Record<string, unknown>

/**
 * Parses an advisory of an OSV dump; `undefined` if it was withdrawn or is none.
 *
 * @see {@link https://ossf.github.io/osv-schema/ | OSV schema}
 */
export function parseAdvisory(value: unknown): Advisory | undefined {
  if (!isObject(value) || typeof value.id !== 'string' || value.withdrawn !== undefined) return undefined
  const { id, summary } = value
  const affected = objects(value.affected).flatMap(one => affectedPackage(one, value))
  const aliases = texts(value.aliases)
  const upstream = texts(value.upstream)
  return {
    id,
    aliases,
    ...(upstream.length > 0 ? { upstream } : {}),
    ...(typeof summary === 'string' ? { summary } : {}),
    affected,
  }
}

function affectedPackage(affected: Json, advisory: Json): AffectedPackage[] {
  const { package: about, ranges, versions } = affected
  if (!isObject(about) || typeof about.name !== 'string' || typeof about.ecosystem !== 'string') return []
  const { name, ecosystem } = about
  const ordered = objects(ranges).filter(({ type }) => type === 'SEMVER' || type === 'ECOSYSTEM')
  const severity = severityOf(affected) ?? severityOf(advisory) ?? 'unknown'
  return [{ name, ecosystem, versions: texts(versions), ranges: ordered.map(eventsOf), severity }]
}

function eventsOf({ events }: Json): RangeEvent[] {
  return objects(events).flatMap(event =>
    EVENTS.flatMap(kind => {
      const version = event[kind]
      return typeof version === 'string' ? [{ kind, version }] : []
    }),
  )
}

/** The highest of the scores, else the word of the database. */
function severityOf({ severity, database_specific: database, ecosystem_specific: ecosystem }: Json) {
  const scores = objects(severity).flatMap(({ score }) => (typeof score === 'string' ? [cvssScore(score)] : []))
  const known = scores.filter(score => score !== undefined)
  if (known.length > 0) return severityOfScore(Math.max(...known))
  const words = [
    ...objects(severity).map(({ score }) => score),
    ...[database, ecosystem].flatMap(one => (isObject(one) ? [one.severity, one.urgency] : [])),
  ]
  return words.map(word => (typeof word === 'string' ? WORDS.get(word.toLowerCase()) : undefined)).find(Boolean)
}

function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical'
  if (score >= 7) return 'high'
  return score >= 4 ? 'medium' : 'low'
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}
