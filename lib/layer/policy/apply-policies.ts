import { FormatError } from '../../errors/index.ts'
import { completeHeader, type TarEntryType, type TarInput } from '../../tar/index.ts'
import type { EntryPolicies, OwnerPolicy } from './entry-policies.ts'

type Rule = (path: string, type: TarEntryType, value: number) => number

/** One rule per member that policies set. */
export type PolicyRules = Readonly<Record<'mtime' | 'mode' | 'uid' | 'gid', Rule>>

/**
 * Creates a function that applies policies to an entry. A policy that is not set keeps the member of the source. Policy
 * functions get `name`, the path in the source.
 *
 * @internal
 */
export function applyPolicies(policies: EntryPolicies): (entry: TarInput, name?: string) => TarInput {
  const { mtime, mode, uid, gid } = policyRules(policies)
  return (entry, name = entry.path) => {
    // A policy gets a hard link as a file.
    const type = entry.type === 'hardlink' ? 'file' : entry.type
    const known = entry.mode === undefined ? completeHeader(entry) : entry
    return {
      ...entry,
      mode: mode(name, type, known.mode ?? 0),
      uid: uid(name, type, entry.uid ?? 0),
      gid: gid(name, type, entry.gid ?? 0),
      mtime: mtime(name, type, entry.mtime ?? 0),
    }
  }
}

/**
 * Creates a function that sets the members of an entry as {@link applyPolicies} does.
 *
 * PERF: an entry that is used nowhere else needs no copy, which would be garbage for each of tens of thousands of
 * paths.
 *
 * @internal
 */
export function setPolicies(policies: EntryPolicies): (entry: OwnEntry) => TarInput {
  const { mtime, mode, uid, gid } = policyRules(policies)
  return entry => {
    const { path } = entry
    const type = entry.type === 'hardlink' ? 'file' : entry.type
    const known = entry.mode ?? completeHeader(entry).mode
    entry.mode = mode(path, type, known)
    entry.uid = uid(path, type, entry.uid ?? 0)
    entry.gid = gid(path, type, entry.gid ?? 0)
    entry.mtime = mtime(path, type, entry.mtime ?? 0)
    return entry
  }
}

/** An entry that the function may change: it was made for this call. */
type OwnEntry = { -readonly [K in keyof TarInput]: TarInput[K] }

/** Creates a rule for each policy. The caller passes a hard link as a file. */
export function policyRules({ mtime, mode, uid, gid }: EntryPolicies): PolicyRules {
  return { mtime: mtimeRule(mtime), mode: modeRule(mode), uid: ownerRule(uid), gid: ownerRule(gid) }
}

/** `SOURCE_DATE_EPOCH`, or 0. */
export function sourceDateEpoch(): number {
  const epoch = process.env.SOURCE_DATE_EPOCH
  if (!epoch) return 0
  // SPEC: a whole number of seconds in decimal (https://reproducible-builds.org/specs/source-date-epoch/).
  if (/^[0-9]{1,15}$/.test(epoch)) return Number(epoch)
  throw new FormatError(
    'ERR_INVALID_ARGUMENT',
    `SOURCE_DATE_EPOCH is not a number of seconds: ${JSON.stringify(epoch)}`,
  )
}

function mtimeRule(policy: EntryPolicies['mtime']): Rule {
  if (typeof policy === 'function') return policy
  if (typeof policy === 'number') return () => policy
  // Archives store whole seconds.
  if (policy === undefined || policy === 'source') return (_path, _type, mtime) => Math.floor(mtime)
  const latest = policy === 'clamp' ? sourceDateEpoch() : policy.notAfter
  return (_path, _type, mtime) => Math.min(Math.floor(mtime), latest)
}

function ownerRule(policy: OwnerPolicy | undefined): Rule {
  if (typeof policy === 'function') return (path, _type, id) => policy(id, path)
  return typeof policy === 'number' ? () => policy : (_path, _type, id) => id
}

function modeRule(policy: EntryPolicies['mode']): Rule {
  if (typeof policy === 'function') return policy
  if (policy === undefined || policy === 'source') return (_path, _type, mode) => mode
  if (policy === 'normal') return normalMode
  const { files, directories } = typeof policy === 'number' ? { files: policy, directories: policy } : policy
  return (_path, type) => (type === 'symlink' ? 0o777 : type === 'directory' ? directories : files)
}

function normalMode(_path: string, type: TarEntryType, mode: number): number {
  if (type === 'symlink') return 0o777
  return type === 'directory' || (type === 'file' && (mode & 0o100) !== 0) ? 0o755 : 0o644
}
