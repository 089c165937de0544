import { type Digest, isDigest } from '../../digest/index.ts'
import { LimitError } from '../../errors/index.ts'
import type { TarHeader } from '../../tar/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import { ArchiveLimits } from '../limits.ts'
import type { Member } from './member.ts'

/** The entry of a path: a file, a symbolic link with its target, or an entry without content. */
type Found = Member | { readonly link: string } | 'nothing to read'

/**
 * The content of an archive by path. Paths are looked up in this table only; no path of an archive is ever used as a
 * path of this machine.
 */
export class MemberTable {
  readonly #found = new Map<string, Found>()
  readonly #twice = new Set<string>()
  readonly #blobs = new Map<Digest, { readonly path: string; readonly found: Found }[]>()
  #entries = 0
  #nameLength = 0

  /**
   * Blobs of an OCI layout in the archive, with links resolved inside the archive. If several files have the name of a
   * blob, only their content tells which one matches.
   */
  get blobs(): ReadonlyMap<Digest, readonly Member[]> {
    const blobs = new Map<Digest, readonly Member[]>()
    for (const [digest, places] of this.#blobs) {
      const members = places.flatMap(({ path, found }) => this.#memberBehind(path, found) ?? [])
      if (members.length > 0) blobs.set(digest, members)
    }
    return blobs
  }

  /** The file of an entry; `undefined` if there is none, or if readers could find different files. */
  #memberBehind(path: string, entry: Found): Member | undefined {
    let [at, found]: [string, Found | undefined] = [path, entry]
    for (let hops = 0; hops <= ArchiveLimits.hops; hops++) {
      if (found === undefined || found === 'nothing to read') return undefined
      if (isMember(found)) return found
      const target = targetOf(at, found.link)
      if (target === undefined || this.#twice.has(target)) return undefined
      at = target
      found = this.#found.get(at)
    }
    return undefined
  }

  /** Adds the next entry; `member` is its content if it is a regular file. */
  add(header: Pick<TarHeader, 'path' | 'type' | 'linkname'>, member?: Member): void {
    const { path, type } = header
    this.#count(header)
    if (type === 'directory') return
    if (this.#found.has(path)) this.#twice.add(path)
    const found = member ?? this.#unread(header)
    this.#found.set(path, found)
    const digest = blobDigest(path)
    // A duplicate blob is allowed: its digest decides which copy is right.
    if (digest) this.#blobs.set(digest, [...(this.#blobs.get(digest) ?? []), { path, found }])
  }

  #unread({ type, linkname = '' }: Pick<TarHeader, 'type' | 'linkname'>): Found {
    if (type === 'symlink') return { link: linkname }
    // SPEC: a hard link is another name of an earlier file.
    const file = type === 'hardlink' ? this.#found.get(linkname) : undefined
    return file && isMember(file) && !this.#twice.has(linkname) ? file : 'nothing to read'
  }

  /**
   * SAFETY: a small compressed archive may expand to millions of entries or long names. The limits bound the memory of
   * this table.
   */
  #count({ path, linkname = '' }: Pick<TarHeader, 'path' | 'linkname'>): void {
    this.#entries++
    this.#nameLength += path.length + linkname.length
    const { entries, nameLength } = ArchiveLimits
    if (this.#entries > entries) throw new LimitError('archive entries', { limit: entries, actual: this.#entries })
    if (this.#nameLength > nameLength) {
      throw new LimitError('characters of names in an archive', { limit: nameLength, actual: this.#nameLength })
    }
  }

  /** True if the path has an entry that is not a directory. */
  has(path: string): boolean {
    return this.#found.has(path)
  }

  /**
   * The file under a path, or `undefined` if there is no entry.
   *
   * SAFETY: a link or a duplicate path is rejected: readers differ in the file that they take, so one archive could
   * hold two different images.
   */
  file(path: string): Member | undefined {
    const found = this.#found.get(path)
    if (found === undefined) return undefined
    if (this.#twice.has(path)) throw invalidArchive(`duplicate path ${JSON.stringify(path)}`)
    if (!isMember(found)) throw invalidArchive(`${JSON.stringify(path)} is not a regular file`)
    return found
  }

  /**
   * The file that a path leads to, with symbolic links resolved inside the archive: docker before version 25 writes a
   * layer shared by several images as a link.
   */
  follow(path: string): Member | undefined {
    let at = path
    for (let hops = 0; hops <= ArchiveLimits.hops; hops++) {
      const found = this.#found.get(at)
      if (found === undefined || isMember(found) || found === 'nothing to read') return this.file(at)
      if (this.#twice.has(at)) throw invalidArchive(`duplicate path ${JSON.stringify(at)}`)
      const target = targetOf(at, found.link)
      if (target === undefined) throw invalidArchive(`link ${JSON.stringify(at)} points outside the archive`)
      at = target
    }
    throw invalidArchive(`${JSON.stringify(path)} leads over more than ${ArchiveLimits.hops} symbolic links`)
  }
}

function isMember(found: Found): found is Member {
  return typeof found === 'object' && 'size' in found
}

/** The digest in the path of a blob. SPEC: hexadecimal digits are in lower case (descriptor.md, digests). */
export function blobDigest(path: string): Digest | undefined {
  const match = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(path)
  const digest = match && `${match[1]}:${match[2]}`
  return isDigest(digest) ? digest : undefined
}

/** Resolves the target of a link inside the archive; returns `undefined` if the target is outside. */
function targetOf(path: string, link: string): string | undefined {
  if (link.startsWith('/')) return undefined
  const components = path.split('/').slice(0, -1)
  for (const component of link.split('/')) {
    if (component === '' || component === '.') continue
    if (component !== '..') components.push(component)
    else if (components.pop() === undefined) return undefined
  }
  return components.join('/')
}
