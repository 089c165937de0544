import type { ProcessSpec } from '../executor.ts'
import { resourceWords } from '../limits/resource-limits.ts'
import { requireSystemProgram } from '../process/find-system-program.ts'
import { namespaceIds } from '../process/namespace-ids.ts'

/** Options of {@link changeUser}. */
export interface ChangeUserOptions {
  /** The directory that becomes the root. */
  readonly root: string
  /** Capabilities that are kept for root and for set-id programs. @defaultValue no change */
  readonly capabilities?: readonly string[] | undefined
}

/**
 * Returns a command of this machine that sets the limits of resources, changes the root, the directory, groups and
 * user, and becomes the program of a process.
 */
export function changeUser(
  { user, workdir, args, limits }: Pick<ProcessSpec, 'user' | 'workdir' | 'args' | 'limits'>,
  { root, capabilities }: ChangeUserOptions,
): string[] {
  const { uid, gid, groups } = user
  return [
    ...resourceWords(limits?.resources),
    ...[requireSystemProgram('setpriv', 'util-linux'), `--regid=${gid}`],
    groupsOption(groups),
    ...(capabilities ? [`--bounding-set=${capabilitySet(capabilities)}`] : []),
    '--',
    ...[requireSystemProgram('unshare', 'util-linux'), `--root=${root}`, `--wd=${workdir}`],
    ...(uid === 0 ? [] : [`--setuid=${uid}`]),
    '--',
    ...args,
  ]
}

/** SPEC: user_namespaces(7): where a user has one id, no process may set groups, not even to none. */
function groupsOption(groups: readonly number[]): string {
  if (namespaceIds() === 'one') return '--keep-groups'
  return groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`
}

function capabilitySet(names: readonly string[]): string {
  return ['-all', ...names.map(name => `+${name.toLowerCase().replace(/^cap_/, '')}`)].join(',')
}
