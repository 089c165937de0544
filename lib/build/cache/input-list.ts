import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { Store } from '../../store/index.ts'
import type { FileCopyInput } from '../copy/file-copy.ts'

/** Limits the bytes of a list that are read into memory: about 400,000 files. */
const MOST_BYTES = 64 * 1024 * 1024

/** Stores the list of the files that a step read, for explanations. Equal lists are one blob. */
export async function putInputs(
  store: Store,
  inputs: readonly FileCopyInput[],
  options: AbortOptions,
): Promise<Digest | undefined> {
  const bytes = Buffer.from(JSON.stringify(inputs))
  if (bytes.byteLength > MOST_BYTES) return undefined
  return (await store.put(bytes, options)).digest
}

/** Reads such a list; `undefined` if it is gone or damaged: an explanation is then less exact. */
export async function readInputs(
  store: Store,
  digest: Digest,
  { signal }: AbortOptions,
): Promise<readonly FileCopyInput[] | undefined> {
  try {
    const bytes = await collectBytes(store.read(digest, { signal, verify: 'always' }), MOST_BYTES, 'list of inputs')
    const inputs: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return Array.isArray(inputs) && inputs.every(isInput) ? inputs : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

function isInput(value: unknown): value is FileCopyInput {
  const { name, source, type, mode } = (value ?? {}) as Record<string, unknown>
  return typeof name === 'string' && typeof source === 'string' && typeof type === 'string' && typeof mode === 'number'
}
