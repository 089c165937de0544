import { StoreError } from '../../errors/index.ts'
import { JsonFault, parseStrictJson } from '../../internal/strict-json.ts'
import { Annotation, type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { NamedDescriptor } from '../../store/index.ts'

type JsonObject = { readonly [key: string]: unknown }

/** Parsed content of `index.json`. Immutable: edits make an {@link IndexDraft}. */
export interface IndexFile {
  readonly bytes: Uint8Array
  /** The whole document, including members that this library does not know. */
  readonly document: JsonObject
  readonly entries: readonly JsonObject[]
  /** Positions of the entries of each name. Only another tool writes more than one; the first counts. */
  readonly names: ReadonlyMap<string, readonly number[]>
}

/**
 * Parses the index. Entries are parsed only as far as names need, so that one entry of an unknown type does not make
 * the others unusable.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`.
 */
export function parseIndexFile(bytes: Uint8Array): IndexFile {
  const document = parseDocument(bytes)
  // SPEC: `manifests` is required; umoci writes null for an empty list.
  const manifests = document.manifests ?? []
  if (!Array.isArray(manifests)) return broken('manifests is not an array')
  for (const [i, entry] of manifests.entries()) {
    if (!isObject(entry)) return broken(`manifests[${i}] is not an object`)
  }
  return { bytes, document, entries: manifests as JsonObject[], names: placesOfNames(manifests as JsonObject[]) }
}

/** Positions of the entries of each name. */
export function placesOfNames(entries: readonly JsonObject[]): Map<string, number[]> {
  const names = new Map<string, number[]>()
  for (const [i, entry] of entries.entries()) {
    const name = nameOf(entry)
    if (name === undefined) continue
    const places = names.get(name)
    if (places) places.push(i)
    else names.set(name, [i])
  }
  return names
}

function parseDocument(bytes: Uint8Array): JsonObject {
  try {
    const document = parseStrictJson(bytes)
    if (!isObject(document)) return broken('it is not an object')
    if (document.schemaVersion !== 2) return broken('schemaVersion is not 2')
    return document
  } catch (error) {
    if (error instanceof JsonFault) return broken(error.message, error)
    throw error
  }
}

/** The name of an entry, if it has one. */
export function nameOf(entry: JsonObject): string | undefined {
  const { annotations } = entry
  if (!isObject(annotations) || !Object.hasOwn(annotations, Annotation.RefName)) return undefined
  const name = annotations[Annotation.RefName]
  return typeof name === 'string' ? name : undefined
}

/** The descriptor that a name refers to, without the annotation that holds the name. */
export function descriptorOf(index: IndexFile, name: string): Descriptor | undefined {
  const place = index.names.get(name)?.[0]
  return place === undefined ? undefined : descriptorAt(index, place)
}

function descriptorAt(index: IndexFile, place: number): Descriptor {
  try {
    const { annotations, ...rest } = parseDescriptor(index.entries[place])
    const { [Annotation.RefName]: _, ...others } = annotations ?? {}
    return Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest
  } catch (cause) {
    return broken(`manifests[${place}]: ${(cause as Error).message}`, cause)
  }
}

/** All entries of an index. */
export interface AllEntries {
  /** Named entries; a duplicate name of another tool appears more than once. */
  readonly names: readonly NamedDescriptor[]
  /** Unparsed entries without a name. */
  readonly entries: readonly JsonObject[]
}

/** All entries of the index, including duplicate names and entries without a name. */
export function entriesOf(index: IndexFile): AllEntries {
  const names: NamedDescriptor[] = []
  for (const [name, places] of index.names) {
    for (const place of places) names.push({ name, descriptor: descriptorAt(index, place) })
  }
  return { names, entries: index.entries.filter(entry => nameOf(entry) === undefined) }
}

const ordered = new WeakMap<IndexFile, readonly string[]>()

/** The names in order; the same array for the same parsed index. */
export function orderedNames(index: IndexFile): readonly string[] {
  const names = ordered.get(index) ?? [...index.names.keys()].sort()
  ordered.set(index, names)
  return names
}

/**
 * Derives the order of names from the index that was changed.
 *
 * PERF: sorting 100,000 names takes 100 ms; sorting them with a few appended names takes 3 ms.
 */
export function takeOrder(from: IndexFile, to: IndexFile): void {
  const before = ordered.get(from)
  if (!before) return
  const left = before.filter(name => to.names.has(name))
  if (left.length === to.names.size) {
    ordered.set(to, left.length === before.length ? before : left)
    return
  }
  const added = [...to.names.keys()].filter(name => !from.names.has(name))
  ordered.set(to, [...left, ...added].sort())
}

/**
 * Yields the names in order, each with its descriptor. An invalid entry hides no other: all valid names come first,
 * then the error is thrown.
 */
export function* namesOf(index: IndexFile): Generator<NamedDescriptor, void, undefined> {
  let fault: unknown
  for (const name of orderedNames(index)) {
    let descriptor: Descriptor | undefined
    try {
      descriptor = descriptorOf(index, name)
    } catch (error) {
      fault ??= error
    }
    if (descriptor) yield { name, descriptor }
  }
  if (fault !== undefined) throw fault
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function broken(why: string, cause?: unknown): never {
  throw new StoreError('ERR_STORE_FORMAT', `index.json is not a usable image index: ${why}`, { cause })
}
