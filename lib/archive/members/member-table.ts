import { type Digest, isDigest } from '../../digest/index.ts'
import { LimitError } from '../../errors/index.ts'
import type { TarHeader } from '../../tar/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import { ArchiveLimits } from '../limits.ts'
import type { Member } from './member.ts'

/** What stands under a path: a file, a symbolic link with its target, or something that is no content. */
type Found = Member | { readonly link: string } | 'nothing to read'

/**
 * What an archive holds, by path. Paths are looked up as they stand; nothing in an archive is ever a path of this machine.
 */
export class MemberTable {
  readonly #found = new Map<string, Found>()
  readonly #twice = new Set<string>()
  readonly #blobs = new Map<Digest, { readonly path: string; readonly found: Found }[]>()
  #entries = 0
  #nameLength = 0

  /**
   * Blobs of an OCI layout in the archive, links inside the archive followed. Which of several files of one name is the blob,
   * and whether one is, only their content tells.
   */
  get blobs(): ReadonlyMap<Digest, readonly Member[]> {
    const blobs = new Map<Digest, readonly Member[]>()
    for (const [digest, places] of this.#blobs) {
      const members = places.flatMap(({ path, found }) => this.#memberBehind(path, found) ?? [])
      if (members.length > 0) blobs.set(digest, members)
    }
    return blobs
  }

  /** The file that an entry leads to; `undefined` if there is none, or several readers would find several. */
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

  /** Notes the next entry; `member` is its content if it is a regular file. */
  add(header: Pick<TarHeader, 'path' | 'type' | 'linkname'>, member?: Member): void {
    const { path, type } = header
    this.#count(header)
    if (type === 'directory') return
    if (this.#found.has(path)) this.#twice.add(path)
    const found = member ?? this.#unread(header)
    this.#found.set(path, found)
    const digest = blobDigest(path)
    // Of blobs that come twice either may be taken: the digest decides whether it is the one.
    if (digest) this.#blobs.set(digest, [...(this.#blobs.get(digest) ?? []), { path, found }])
  }

  #unread({ type, linkname = '' }: Pick<TarHeader, 'type' | 'linkname'>): Found {
    if (type === 'symlink') return { link: linkname }
    // SPEC: a hard link is another name of a file that stands before it.
    const file = type === 'hardlink' ? this.#found.get(linkname) : undefined
    return file && isMember(file) && !this.#twice.has(linkname) ? file : 'nothing to read'
  }

  /** SAFETY: what an archive makes us remember is bounded, however small it is when it is compressed. */
  #count({ path, linkname = '' }: Pick<TarHeader, 'path' | 'linkname'>): void {
    this.#entries++
    this.#nameLength += path.length + linkname.length
    const { entries, nameLength } = ArchiveLimits
    if (this.#entries > entries) throw new LimitError('archive entries', { limit: entries, actual: this.#entries })
    if (this.#nameLength > nameLength) {
      throw new LimitError('characters of names in an archive', { limit: nameLength, actual: this.#nameLength })
    }
  }

  /** Whether anything but a directory stands under a path. */
  has(path: string): boolean {
    return this.#found.has(path)
  }

  /**
   * The file under a path, or `undefined` if nothing is there.
   *
   * SAFETY: a link is not followed, and of two files with one name neither is taken: readers differ in which one they take.
   */
  file(path: string): Member | undefined {
    const found = this.#found.get(path)
    if (found === undefined) return undefined
    if (this.#twice.has(path)) throw invalidArchive(`${JSON.stringify(path)} stands twice in it`)
    if (!isMember(found)) throw invalidArchive(`${JSON.stringify(path)} is not a regular file`)
    return found
  }

  /**
   * The file that a path leads to, symbolic links followed inside the archive: old versions of docker write layers that
   * several images have as links.
   */
  follow(path: string): Member | undefined {
    let at = path
    for (let hops = 0; hops <= ArchiveLimits.hops; hops++) {
      const found = this.#found.get(at)
      if (found === undefined || isMember(found) || found === 'nothing to read') return this.file(at)
      if (this.#twice.has(at)) throw invalidArchive(`${JSON.stringify(at)} stands twice in it`)
      const target = targetOf(at, found.link)
      if (target === undefined) throw invalidArchive(`link ${JSON.stringify(at)} leads out of it`)
      at = target
    }
    throw invalidArchive(`${JSON.stringify(path)} is a link over more than ${ArchiveLimits.hops} others`)
  }
}

function isMember(found: Found): found is Member {
  return typeof found === 'object' && 'size' in found
}

/** The digest that the path of a blob in a layout says. SPEC: hexadecimal digits are in lower case (descriptor.md, digests). */
export function blobDigest(path: string): Digest | undefined {
  const match = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(path)
  const digest = match && `${match[1]}:${match[2]}`
  return isDigest(digest) ? digest : undefined
}

/** Where a link leads inside the archive; `undefined` if it leads out of it. */
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
