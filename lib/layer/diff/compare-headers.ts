import type { TarHeader } from '../../tar/index.ts'
import type { ChangedField } from './tree-diff.ts'

/**
 * Returns the fields that differ between the headers of two entries, without the content. Times are compared by whole
 * seconds, because a layer stores whole seconds. Entries of different types have no other fields to compare.
 *
 * @internal
 */
export function compareHeaders(lower: TarHeader, upper: TarHeader, withXattrs: boolean): ChangedField[] {
  if (lower.type !== upper.type) return ['type']
  const fields: ChangedField[] = []
  if (lower.type === 'symlink' && lower.linkname !== upper.linkname) fields.push('linkname')
  if (deviceOf(lower) !== deviceOf(upper)) fields.push('device')
  // The mode of a symbolic link has no meaning, and Linux does not store it.
  if (lower.type !== 'symlink' && lower.mode !== upper.mode) fields.push('mode')
  for (const field of ['uid', 'gid'] as const) if (lower[field] !== upper[field]) fields.push(field)
  if (Math.floor(lower.mtime) !== Math.floor(upper.mtime)) fields.push('mtime')
  if (withXattrs && !sameXattrs(lower.xattrs, upper.xattrs)) fields.push('xattrs')
  return fields
}

/**
 * True if only metadata differs.
 *
 * @internal
 */
export function isMetadataOnly(fields: readonly ChangedField[]): boolean {
  return !fields.some(field => ['type', 'content', 'linkname', 'device', 'links'].includes(field))
}

function deviceOf({ devMajor = 0, devMinor = 0 }: TarHeader): string {
  return `${devMajor}:${devMinor}`
}

function sameXattrs(lower: TarHeader['xattrs'], upper: TarHeader['xattrs']): boolean {
  if ((lower?.size ?? 0) !== (upper?.size ?? 0)) return false
  for (const [name, value] of lower ?? []) {
    const other = upper?.get(name)
    if (!other || Buffer.compare(value, other) !== 0) return false
  }
  return true
}
