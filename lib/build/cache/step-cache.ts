import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import { digestOfFrames, type KeyPart } from '../keys/key-part.ts'
import { changedLines } from './changed-lines.ts'
import { compareSteps, type Difference, reasonOf, type StepFacts } from './difference.ts'
import type { ImportedCache } from './imported-cache.ts'
import { type InputList, readInputs } from './input-list.ts'
import { parseStepRecord, type StepRecord } from './step-record.ts'

/** A record whose layer is available. */
export interface CachedStep {
  readonly record: StepRecord
  /** The imported cache that holds the layer, if the store does not. */
  readonly remote?: ImportedCache | undefined
}

/** Position of a step; the search for the nearest record uses it. */
export interface StepPosition {
  /** Name of the build: its first name, or its context. */
  readonly build: string
  /** Stage and step, as `app 2/5`. */
  readonly place: string
  readonly title: string
}

/** A step to explain: its key and the parts of it, and the list of the files that it reads. */
export interface ExplainedStep {
  readonly key: Digest
  readonly parts: readonly KeyPart[]
  readonly inputs?: InputList | undefined
}

/** Reason why a step is made. */
export interface Explanation {
  readonly reason: string
  readonly differs: readonly Difference[]
  /** Layer of the nearest record. */
  readonly nearest?: Digest | undefined
}

/** Dependencies and layer of an earlier step. */
interface NearestStep extends StepFacts {
  readonly layer: Digest
}

/** Number of records kept per title of a step, for explanations. */
const PER_TITLE = 4

/** Finished steps of earlier builds: those in the store, and those of imported caches. */
export class StepCache {
  readonly #store: Store
  readonly #imported: readonly ImportedCache[]
  /** PERF: a plan and its run ask for the same explanation, and lists of files are long. */
  readonly #explained = new Map<string, Explanation>()

  constructor(store: Store, imported: readonly ImportedCache[]) {
    this.#store = store
    this.#imported = imported
  }

  /** Resolves to the record of a content key or a definition key, if its layer is available. Writes nothing. */
  async find(key: Digest, options: AbortOptions): Promise<CachedStep | undefined> {
    const stored = await this.#read(key, options)
    if (stored && (await this.#store.stat(stored.layer.digest, options))) return { record: stored }
    for (const cache of this.#imported) {
      const record = cache.records.get(key)
      if (!record) continue
      return (await this.#store.stat(record.layer.digest, options)) ? { record } : { record, remote: cache }
    }
    return undefined
  }

  /**
   * Keeps a record, under its content key and its definition key; a record that is kept already counts as used now.
   * Best effort: a cache that cannot be written makes later builds slower and nothing else.
   */
  async keep(record: StepRecord): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(record))
    for (const key of [record.key, record.definition]) {
      if (key) await this.#store.derived.set('cache', placeOf(key), bytes).catch(() => undefined)
    }
  }

  /** Says in what a step differs from the nearest record. */
  async explain(step: ExplainedStep, position: StepPosition, options: AbortOptions): Promise<Explanation> {
    const id = JSON.stringify([step.key, position.build, position.place])
    const explanation = this.#explained.get(id) ?? (await this.#explain(step, position, options))
    this.#explained.set(id, explanation)
    return explanation
  }

  async #explain(
    { parts, inputs }: ExplainedStep,
    position: StepPosition,
    options: AbortOptions,
  ): Promise<Explanation> {
    const facts = { parts, inputs: inputs?.text }
    const nearest = await this.#nearest(facts, position, options)
    if (!nearest) return { reason: 'no earlier build of this step is known', differs: [] }
    const compared = compareSteps(nearest, facts)
    return { reason: reasonOf(compared, inputs?.files ?? 0), differs: compared.differs, nearest: nearest.layer }
  }

  /** Remembers under which keys the steps of a build were found or made, for explanations of the next build. */
  async remember(build: string, steps: ReadonlyMap<string, StepRecord>): Promise<void> {
    const keys = Object.fromEntries([...steps].map(([place, { key }]) => [place, key]))
    await this.#setFact(await lastBuildKey(build), { version: 1, keys })
    const titles = new Map<string, Digest[]>()
    for (const { title, key } of steps.values()) titles.set(title, [...(titles.get(title) ?? []), key])
    for (const [title, found] of titles) {
      const fact = await titleKey(title)
      const { keys: known } = await this.#fact(fact)
      const others = listOf(known).filter(key => !found.includes(key as Digest))
      await this.#setFact(fact, { version: 1, keys: [...found, ...others].slice(0, PER_TITLE) })
    }
  }

  /** The record of the same place in the last build of the name; else the one of the same title that shares most. */
  async #nearest(
    facts: StepFacts,
    { build, place, title }: StepPosition,
    options: AbortOptions,
  ): Promise<NearestStep | undefined> {
    const { keys: last } = await this.#fact(await lastBuildKey(build))
    const at = (last as Record<string, unknown> | undefined)?.[place]
    const same = typeof at === 'string' ? await this.#read(at as Digest, options) : undefined
    if (same && kindOf(same) === kindOf(facts)) return this.#withInputs(same, options)
    const { keys } = await this.#fact(await titleKey(title))
    let best: { facts: NearestStep; shared: number } | undefined
    for (const key of listOf(keys)) {
      const record = await this.#read(key as Digest, options)
      if (!record) continue
      const candidate = await this.#withInputs(record, options)
      const shared = sharedBy(candidate, facts)
      if (!best || shared > best.shared) best = { facts: candidate, shared }
    }
    return best?.facts
  }

  async #withInputs(record: StepRecord, options: AbortOptions): Promise<NearestStep> {
    const inputs = record.inputs ? await readInputs(this.#store, record.inputs, options) : undefined
    return { parts: record.parts, inputs, layer: record.layer.digest }
  }

  async #read(key: Digest, options: AbortOptions): Promise<StepRecord | undefined> {
    try {
      const bytes = await this.#store.derived.get('cache', placeOf(key), options)
      const record = bytes && parseStepRecord(bytes)
      return record && (record.key === key || record.definition === key) ? record : undefined
    } catch {
      options.signal?.throwIfAborted()
      return undefined
    }
  }

  async #fact(key: string): Promise<{ keys?: unknown }> {
    try {
      const bytes = await this.#store.derived.get('facts', key)
      return bytes ? (JSON.parse(Buffer.from(bytes).toString('utf8')) ?? {}) : {}
    } catch {
      return {}
    }
  }

  async #setFact(key: string, value: object): Promise<void> {
    await this.#store.derived.set('facts', key, Buffer.from(JSON.stringify(value))).catch(() => undefined)
  }
}

/** Key of a record in the derived data of a store. */
function placeOf(key: Digest): string {
  return `step:${key}`
}

async function lastBuildKey(build: string): Promise<string> {
  return `build:${await digestOfFrames(() => ['last', build])}`
}

async function titleKey(title: string): Promise<string> {
  return `build:${await digestOfFrames(() => ['title', title])}`
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

function kindOf({ parts }: Pick<StepFacts, 'parts'>): string | undefined {
  return parts.find(({ what, name }) => what === 'instruction' && name === 'kind')?.value
}

/** Number of parts and files that two steps share. */
function sharedBy(before: StepFacts, after: StepFacts): number {
  const parts = new Set(before.parts.map(({ what, name, value }) => JSON.stringify([what, name, value])))
  const shared = after.parts.filter(({ what, name, value }) => parts.has(JSON.stringify([what, name, value])))
  return shared.length + sharedLines(before.inputs, after.inputs)
}

function sharedLines(before: Uint8Array | undefined, after: Uint8Array | undefined): number {
  if (!before || !after) return 0
  return lineCount(after) - changedLines(before, after).after.length
}

function lineCount(text: Uint8Array): number {
  let lines = 0
  for (let at = text.indexOf(NEWLINE); at >= 0; at = text.indexOf(NEWLINE, at + 1)) lines++
  return lines
}

const NEWLINE = 0x0a
