/** Sets one extended attribute of the file, device or directory that a path leads to; throws what the system says. */
export type XattrSetter = (path: string, name: string, value: Buffer) => void

/** The part of the optional package `fs-xattr` that is used. */
interface FsXattr {
  setAttributeSync(path: string, name: string, value: Buffer): void
}

/** What sets extended attributes here, if the optional package `fs-xattr` is installed. Node itself cannot. */
export async function loadXattrSetter(packageName = 'fs-xattr'): Promise<XattrSetter | undefined> {
  let loaded: Partial<FsXattr> & { default?: FsXattr }
  try {
    loaded = (await import(packageName)) as Partial<FsXattr> & { default?: FsXattr }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
  const setAttributeSync = loaded.setAttributeSync ?? loaded.default?.setAttributeSync
  return setAttributeSync && ((path, name, value) => setAttributeSync(path, name, value))
}

/**
 * Why an attribute is never set, or `undefined`.
 *
 * SAFETY: overlayfs reads its own attributes as orders (`redirect` shows any directory of the lower file systems), and
 * labels of SELinux belong to the host's policy.
 */
export function refusedXattr(name: string): string | undefined {
  if (/^(trusted|user)\.overlay\./.test(name)) return 'overlayfs would obey it'
  if (name === 'security.selinux') return 'belongs to the policy of this machine'
  if (name === '' || name.includes('\0')) return 'not a name'
  return undefined
}
