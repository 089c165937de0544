import { refusedXattr } from '../refused-xattr.ts'

/**
 * True if an attribute has the same meaning on another machine; false for attributes of overlayfs and labels of a
 * security policy.
 *
 * @internal
 */
export function isPortableXattr(name: string): boolean {
  return refusedXattr(name) === undefined && name !== 'system.nfs4_acl'
}
