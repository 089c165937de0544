import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { changeFact, type FactKeeper, listOf, membersOf, readFact } from './fact-file.ts'

/** A repository that had a blob when the blob was last pulled from it or pushed to it. */
export interface KnownSource {
  /** Host of the registry, with its port if it has one. */
  readonly registry: string
  /** Path of the repository in the registry. */
  readonly repository: string
  /** Time of that transfer, in milliseconds since 1970. */
  readonly seenMs: number
}

interface SourceRecord {
  readonly sources: readonly KnownSource[]
}

/** Number of repositories kept per blob: a base image may be pushed to hundreds; a few are enough to mount from. */
const KEPT = 8
/** PERF: a blob that is pulled every minute is not recorded every minute. */
const FRESH_MS = 3_600_000

/** Records that a repository has a blob. Best effort: a store that cannot be written to is no error. */
export async function recordKnownSource(
  store: FactKeeper,
  digest: Digest,
  { registry, repository }: Pick<KnownSource, 'registry' | 'repository'>,
): Promise<void> {
  const seenMs = Date.now()
  await changeFact(store, keyOf(digest), parse, ({ sources }) => {
    const same = (source: KnownSource) => source.registry === registry && source.repository === repository
    const [first] = sources
    if (first && same(first) && Math.abs(seenMs - first.seenMs) < FRESH_MS) return undefined
    const others = sources.filter(source => !same(source))
    return { version: 1, sources: [{ registry, repository, seenMs }, ...others].slice(0, KEPT) }
  })
}

/**
 * Resolves to at most eight repositories that had a blob, the latest first. A hint: the repository may no longer have
 * the blob, or may refuse the caller.
 */
export async function knownSourcesOf(
  store: FactKeeper,
  digest: Digest,
  options: AbortOptions = {},
): Promise<readonly KnownSource[]> {
  return (await readFact(store, keyOf(digest), parse, options)).sources
}

function keyOf(digest: Digest): string {
  return `sources:${digest}`
}

function parse(value: unknown): SourceRecord {
  const sources = listOf(membersOf(value).sources).flatMap(({ registry, repository, seenMs }) =>
    typeof registry === 'string' && typeof repository === 'string' && Number.isFinite(seenMs)
      ? [{ registry, repository, seenMs: seenMs as number }]
      : [],
  )
  return { sources: sources.slice(0, KEPT) }
}
