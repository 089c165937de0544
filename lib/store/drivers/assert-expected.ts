import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { SetReferenceOptions } from '../reference-store.ts'

/** Throws `ERR_REFERENCE_CONFLICT` if a name refers to another digest than the caller expects. */
export function assertExpected(
  name: string,
  actual: Digest | undefined,
  { expected }: Pick<SetReferenceOptions, 'expected'>,
): void {
  if (expected === undefined || (expected ?? undefined) === actual) return
  const message = `${name} refers to ${actual ?? 'nothing'}, not to ${expected ?? 'nothing'}: it was changed meanwhile`
  throw new StoreError('ERR_REFERENCE_CONFLICT', message)
}
