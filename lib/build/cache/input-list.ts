import { type Digest, digestOf } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { jsonString } from '../../internal/json-string.ts'
import type { Store } from '../../store/index.ts'
import type { FileCopyInput } from '../copy/file-copy.ts'

/** Limits the bytes of a list that are read into memory: about 400,000 files. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * The list of the files that a step read, for explanations: a JSON array with one line for each.
 *
 * PERF: as text it takes a third of the memory of its objects, and equal parts of two lists need not be parsed.
 */
export interface InputList {
  readonly text: Uint8Array
  /** Number of files, without directories. */
  readonly files: number
}

/** Makes the list of the files that a step reads. */
export async function listInputs(
  batches: Iterable<readonly FileCopyInput[]> | AsyncIterable<readonly FileCopyInput[]>,
): Promise<InputList> {
  const files = new DistinctFiles()
  const text = new TextBuffer()
  let between = '[\n'
  for await (const batch of batches) {
    for (const input of batch) {
      text.add(between + lineOf(input))
      between = ',\n'
      if (input.type !== 'directory') files.add(input)
    }
  }
  text.add(between === '[\n' ? '[\n]' : '\n]')
  return { text: text.bytes(), files: files.count }
}

/**
 * Counts files, each path once. PERF: the paths of one source are distinct, so nothing is put into a set until a second
 * source comes.
 */
class DistinctFiles {
  readonly #first: string[] = []
  #source: string | undefined
  #all: Set<string> | undefined

  add({ name, source }: FileCopyInput): void {
    this.#source ??= name.slice(0, name.search(/[/:]/) + 1)
    if (!name.startsWith(this.#source)) this.#all ??= new Set(this.#first)
    if (this.#all) this.#all.add(source)
    else this.#first.push(source)
  }

  get count(): number {
    return this.#all?.size ?? this.#first.length
  }
}

/** PERF: JSON.stringify takes three times as long for tens of thousands of inputs. */
function lineOf(input: FileCopyInput): string {
  const { name, source, type, mode, linkname, digest, owner, extra } = input
  if (linkname !== undefined || owner !== undefined || extra !== undefined) return JSON.stringify(input)
  const end = digest === undefined ? '' : `,"digest":"${digest}"`
  return `{"name":${jsonString(name)},"source":${jsonString(source)},"type":"${type}","mode":${mode}${end}}`
}

const SMALL_BYTES = 64 * 1024
/** PERF: memory that is not written to costs nothing, and a buffer that grows step by step is copied each time. */
const LARGE_BYTES = 16 * 1024 * 1024

/** Text that grows in one buffer. PERF: pieces that are joined at the end need twice the memory. */
class TextBuffer {
  #buffer = Buffer.allocUnsafeSlow(SMALL_BYTES)
  #filled = 0

  add(text: string): void {
    // A UTF-16 unit takes at most three bytes.
    const most = this.#filled + text.length * 3
    if (most > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(most, LARGE_BYTES, this.#buffer.byteLength * 2))
      this.#buffer.copy(larger, 0, 0, this.#filled)
      this.#buffer = larger
    }
    this.#filled += this.#buffer.write(text, this.#filled, 'utf8')
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled)
  }
}

/** Stores a list. Equal lists are one blob. */
export async function putInputs(store: Store, { text }: InputList, options: AbortOptions): Promise<Digest | undefined> {
  if (text.byteLength > MOST_BYTES) return undefined
  return (await store.put(text, { hasher: 'native', ...options })).digest
}

/** Reads a list; `undefined` if it is gone: an explanation is then less exact. */
export async function readInputs(
  store: Store,
  digest: Digest,
  { signal }: AbortOptions,
): Promise<Uint8Array | undefined> {
  try {
    const size = (await store.stat(digest, { signal }))?.size ?? 0
    if (size > MOST_BYTES) return undefined
    // PERF: chunks that are joined at the end need twice the memory.
    const bytes = Buffer.allocUnsafeSlow(size)
    let filled = 0
    for await (const chunk of store.read(digest, { signal, verify: 'never', borrow: true })) {
      bytes.set(chunk, filled)
      filled += chunk.byteLength
    }
    return (await digestOf(bytes, { hasher: 'native' })) === digest ? bytes : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

/** Parses lines of a list; `undefined` if they are damaged. */
export function parseInputs(lines: readonly string[]): readonly FileCopyInput[] | undefined {
  try {
    const inputs: unknown[] = lines.map(line => JSON.parse(line))
    return inputs.every(isInput) ? inputs : undefined
  } catch {
    return undefined
  }
}

function isInput(value: unknown): value is FileCopyInput {
  const { name, source, type, mode } = (value ?? {}) as Record<string, unknown>
  return typeof name === 'string' && typeof source === 'string' && typeof type === 'string' && typeof mode === 'number'
}
