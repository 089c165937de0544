import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { parseReference, type Reference } from '../../oci/index.ts'
import type { CacheRecord, NamedDescriptor, StoredBlob } from '../../store/index.ts'
import type { CollectionPlan } from './collection-plan.ts'
import { GraphMarker } from './mark-graph.ts'
import type { Chosen, Survey } from './mark-store.ts'
import { nameVisit } from './root-visits.ts'

/** Names and cache records that stay, and those that the policy drops. */
export interface RetentionChoice extends Chosen {
  readonly dropNames: CollectionPlan['dropNames']
  readonly dropRecords: CollectionPlan['dropRecords']
}

/** An image that names of one repository refer to. */
export interface NamedImage {
  readonly digest: Digest
  readonly names: readonly NamedDescriptor[]
  readonly lastUsedMs: number
}

/** The names and records that remain while the rules of a policy are applied one after the other. */
export class Retention {
  readonly #survey: Survey
  readonly #droppedNames = new Map<string, { digest: Digest; why: string }>()
  readonly #droppedRecords = new Map<string, { modifiedMs: number; why: string }>()
  /** Names whose tag refers to another image as its subject; they are dropped with that image and are not counted. */
  readonly digestTags: ReadonlyMap<NamedDescriptor, Digest>

  constructor(survey: Survey) {
    this.#survey = survey
    this.digestTags = new Map(
      survey.roots.names.flatMap(named => {
        const subject = subjectOfTag(named.name)
        return subject ? [[named, subject] as const] : []
      }),
    )
  }

  /**
   * Images that still have a name, by repository, the most recently used first. Missing images are left out: the time
   * of their last use is unknown, and a repair may need the name.
   */
  images(): NamedImage[][] {
    const repositories = new Map<string, Map<Digest, NamedDescriptor[]>>()
    for (const named of this.#names()) {
      if (this.digestTags.has(named) || !this.#survey.blobs.has(named.descriptor.digest)) continue
      const repository = getOrAdd(repositories, repositoryOf(named.name), () => new Map<Digest, NamedDescriptor[]>())
      getOrAdd(repository, named.descriptor.digest, () => [] as NamedDescriptor[]).push(named)
    }
    return [...repositories.values()].map(images =>
      [...images]
        .map(([digest, names]) => ({ digest, names, lastUsedMs: this.#lastUsedMs(digest) }))
        .sort((a, b) => b.lastUsedMs - a.lastUsedMs || (a.digest < b.digest ? -1 : 1)),
    )
  }

  /** A time in the future counts as now. */
  #lastUsedMs(digest: Digest): number {
    return Math.min(this.#survey.nowMs, (this.#survey.blobs.get(digest) as StoredBlob).modifiedMs)
  }

  #names(): NamedDescriptor[] {
    return this.#survey.roots.names.filter(({ name }) => !this.#droppedNames.has(name))
  }

  /** Cache records that remain. */
  records(): CacheRecord[] {
    return this.#survey.roots.records.filter(({ record }) => !this.#droppedRecords.has(record))
  }

  keepLast(count: number): void {
    for (const images of this.images()) {
      for (const image of images.slice(count)) this.drop(image, `not among the last ${count} of its repository`)
    }
  }

  dropOlderThan(maxAgeMs: number): void {
    const oldest = this.#survey.nowMs - maxAgeMs
    const why = `not used for longer than ${Math.round(maxAgeMs / 60_000)} minutes`
    for (const image of this.images().flat()) if (image.lastUsedMs < oldest) this.drop(image, why)
    for (const record of this.records()) if (record.modifiedMs < oldest) this.dropRecord(record, why)
  }

  drop({ digest, names }: NamedImage, why: string): void {
    for (const { name } of names) this.#droppedNames.set(name, { digest, why })
  }

  dropRecord({ record, modifiedMs }: CacheRecord, why: string): void {
    this.#droppedRecords.set(record, { modifiedMs, why })
  }

  /** Drops signatures and similar artifacts, whose tag refers to an image, together with that image. */
  async dropDigestTags(options: AbortOptions): Promise<void> {
    if (this.digestTags.size === 0 || this.#droppedNames.size === 0) return
    const { graph, roots } = this.#survey
    const [gone, kept] = [new GraphMarker(graph), new GraphMarker(graph)]
    const isDropped = (named: NamedDescriptor) => this.#droppedNames.has(named.name)
    const named = roots.names.filter(name => !this.digestTags.has(name))
    await gone.walk(named.filter(isDropped).map(nameVisit), options)
    await kept.walk(named.filter(name => !isDropped(name)).map(nameVisit), options)
    for (const [{ name, descriptor }, subject] of this.digestTags) {
      if (!gone.marks.has(subject) || kept.marks.has(subject)) continue
      this.#droppedNames.set(name, { digest: descriptor.digest, why: `it is about ${subject}, whose names go` })
    }
  }

  choice(): RetentionChoice {
    return {
      names: this.#names(),
      entries: this.#survey.roots.entries,
      records: this.records(),
      dropNames: [...this.#droppedNames].map(([name, dropped]) => ({ name, ...dropped })),
      dropRecords: [...this.#droppedRecords].map(([record, dropped]) => ({ record, ...dropped })),
    }
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const created = create()
  map.set(key, created)
  return created
}

/** The repository of a name. A name that is no reference (another tool wrote it) is a repository of its own. */
function repositoryOf(name: string): string {
  const reference = referenceOf(name)
  return reference ? `${reference.registry}/${reference.repository}` : name
}

/**
 * SPEC: the referrers tag schema of the distribution-spec, `sha256-<hex>`, and cosign's variants, `sha256-<hex>.sig`.
 */
function subjectOfTag(name: string): Digest | undefined {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\..+)?$/.exec(referenceOf(name)?.tag ?? name) ?? []
  const digest = `${algorithm}:${hex}`
  return isDigest(digest) ? digest : undefined
}

function referenceOf(name: string): Reference | undefined {
  try {
    return parseReference(name)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
