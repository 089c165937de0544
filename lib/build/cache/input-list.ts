import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
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
  const files = new Set<string>()
  const pieces: Buffer[] = []
  for await (const batch of batches) {
    const lines = batch.map(input => JSON.stringify(input))
    pieces.push(Buffer.from(`${pieces.length === 0 ? '[' : ','}\n${lines.join(',\n')}`))
    for (const { type, source } of batch) if (type !== 'directory') files.add(source)
  }
  pieces.push(Buffer.from(`${pieces.length === 0 ? '[' : ''}\n]`))
  return { text: Buffer.concat(pieces), files: files.size }
}

/** Stores a list. Equal lists are one blob. */
export async function putInputs(store: Store, { text }: InputList, options: AbortOptions): Promise<Digest | undefined> {
  if (text.byteLength > MOST_BYTES) return undefined
  return (await store.put(text, options)).digest
}

/** Reads a list; `undefined` if it is gone: an explanation is then less exact. */
export async function readInputs(
  store: Store,
  digest: Digest,
  { signal }: AbortOptions,
): Promise<Uint8Array | undefined> {
  try {
    return await collectBytes(store.read(digest, { signal, verify: 'always' }), MOST_BYTES, 'list of inputs')
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
