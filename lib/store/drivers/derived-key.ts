import { FormatError } from '../../errors/index.ts'
import type { DerivedKind } from '../derived-store.ts'

/**
 * SAFETY: kind and key become a file path, so a key like `../x` would leave the directory; only safe characters pass.
 */
export function checkDerivedKey(kind: DerivedKind, key: string): void {
  const known = kind === 'indexes' || kind === 'facts' || kind === 'cache'
  if (known && typeof key === 'string' && /^[a-z0-9_:+-][a-z0-9._:+-]{0,199}$/.test(key)) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `not a key of derived data: ${JSON.stringify(`${kind} ${key}`)}`)
}
