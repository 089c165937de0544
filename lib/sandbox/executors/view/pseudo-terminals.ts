import type { NamespaceIds } from '../process/namespace-ids.ts'

/** Group `tty`, which terminals belong to. */
const TTY = 5

/**
 * Options of the filesystem at `/dev/pts`. The kernel refuses a group that the user namespace does not have.
 *
 * @param ids - Ids of the namespace of this process.
 */
export function pseudoTerminals(ids: NamespaceIds): string[] {
  return ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...(ids === 'one' ? [] : [`gid=${TTY}`])]
}
