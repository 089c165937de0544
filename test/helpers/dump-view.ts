import type { UnionView } from '../../lib/rootfs/index.ts'

/** Describes every path of a view in one line, without the layer that it comes from. */
export function dumpView(view: Pick<UnionView, 'walk'>): string[] {
  return [...view.walk()].map(entry => {
    const { path, type, mode, uid, gid, mtime, size, linkname, digest, devMajor, devMinor, xattrs } = entry
    if (type === 'hardlink') return JSON.stringify([path, type, linkname])
    const attributes = [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString('hex')]).sort()
    // The mode of a symbolic link has no meaning.
    const shown = type === 'symlink' ? 0o777 : mode
    return JSON.stringify([path, type, shown, uid, gid, mtime, size, linkname, digest, devMajor, devMinor, attributes])
  })
}
