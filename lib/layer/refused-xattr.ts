/**
 * Why an attribute is never set on a file of this machine nor taken from one, or `undefined`.
 *
 * SAFETY: overlayfs reads its own attributes as orders (`redirect` shows any directory of the lower file systems), and
 * labels of SELinux belong to the host's policy.
 *
 * @internal
 */
export function refusedXattr(name: string): string | undefined {
  if (/^(trusted|user)\.overlay\./.test(name)) return 'overlayfs would obey it'
  if (name === 'security.selinux') return 'belongs to the policy of this machine'
  if (name === '' || name.includes('\0')) return 'not a name'
  return undefined
}
