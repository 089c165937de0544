import { LimitError, RootfsError } from '../../../errors/index.ts'
import { IMPLICIT_DIRECTORIES } from '../../layer-budget.ts'

/** Faults that may disappear once the whiteouts of the layer are known: a whiteout may hide the path in conflict. */
const CURABLE: ReadonlySet<string> = new Set([
  'ERR_INVALID_LINK',
  'ERR_INVALID_WHITEOUT',
  'ERR_NOT_A_DIRECTORY',
  'ERR_TOO_MANY_LINKS',
  'ERR_UNSUPPORTED_ENTRY',
])

/**
 * Thrown if the tree must be written again, with the whiteouts of each layer applied before its entries. The cause is
 * the fault.
 */
export class MarksFirst extends Error {
  override readonly name = 'MarksFirst'

  constructor(options: ErrorOptions) {
    super('the whiteouts of a layer must be known before its entries', options)
  }
}

/** Whether a fault may go away if whiteouts are applied first, or if the number of entries is known. */
export function isCurable(error: unknown): boolean {
  if (error instanceof LimitError) return error.what === IMPLICIT_DIRECTORIES
  return error instanceof RootfsError && CURABLE.has(error.code)
}
