/**
 * Returns the reason why an attribute is never read from a file of this machine or set on one; `undefined` if it is
 * allowed.
 *
 * SAFETY: overlayfs and fuse-overlayfs obey their own attributes (`redirect` exposes any directory of the lower file
 * systems), and SELinux labels belong to the policy of the host. An image could grant itself access with either, so all
 * are refused.
 *
 * @internal
 */
export function refusedXattr(name: string): string | undefined {
  if (/^(trusted|user)\.overlay\./.test(name)) return 'overlayfs would obey it'
  if (name.startsWith('user.fuseoverlayfs.')) return 'fuse-overlayfs would obey it'
  if (name === 'security.selinux') return 'belongs to the policy of this machine'
  if (name === '' || name.includes('\0')) return 'not a name'
  return undefined
}
