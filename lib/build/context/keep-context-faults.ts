import { keepContentFaults, keepFault } from '../../internal/byte-source.ts'
import type { BuildContext } from './build-context.ts'
import type { ContextSource } from './open-context.ts'

/** Keeps the failures of the streams of a context that is opened later, as `keepFault` does. */
export function keepContextFaults(source: ContextSource | BuildContext | undefined): void {
  if (typeof source !== 'object') return
  if ('tar' in source) keepFault(source.tar)
  if (!('files' in source)) return
  const { files } = source
  keepContentFaults(Symbol.iterator in files ? files : Object.values(files).map(content => ({ content })))
}
