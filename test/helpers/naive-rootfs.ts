import { createHash } from 'node:crypto'
import type { RawEntry } from './raw-tar.ts'

type NaiveEntry = Omit<RawEntry, 'path'> & { path: string }

/** Options of a path resolution, as `ResolveOptions` of the view. */
interface NaiveWay {
  make?: boolean
  strict?: boolean
  replaces?: (here: string) => boolean
  isEnd?: ((here: string, written: string) => boolean) | undefined
}

interface NaiveFile {
  type: 'file' | 'directory' | 'symlink'
  mode: number
  mtime: number
  size: number
  digest?: string | undefined
  linkname?: string | undefined
  /** All names of one file share it. */
  inode: number
}

/** Error of the model, with the code that the library uses for it. */
export class NaiveFault extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/**
 * A root filesystem as a map from real paths to files. Layers are unpacked into it one after the other: opaque marks,
 * whiteouts, entries. It is slow and simple, and shares no code with the view.
 */
export class NaiveRootfs {
  readonly files = new Map<string, NaiveFile>()
  #inodes = 0
  /** Real paths at which the current layer has created anything but a directory. */
  #own = new Set<string>()
  /** Files of the current layer that exist only for hard links to them. */
  #pseudoLinks = new Map<string, NaiveFile>()

  unpack(entries: readonly RawEntry[]): void {
    const all = entries.map(entry => ({ ...entry, path: String(entry.path).replace(/\/$/, '') }))
    const isMark = (path: string) => path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.')
    const marks = all.filter(({ path }) => isMark(path))
    const others = all.filter(({ path }) => !isMark(path))
    this.#own = new Set()
    this.#pseudoLinks = new Map()
    const own = new Set(others.filter(entry => kindOf(entry) === 'directory').map(({ path }) => path))
    for (const { path } of marks) if (!path.endsWith('.wh..wh..opq')) own.add(path.replace(/\.wh\.([^/]+)$/, '$1'))
    const isOpaque = (path: string) => path.endsWith('.wh..wh..opq')
    for (const { path } of marks.filter(({ path }) => isOpaque(path))) {
      const directory = this.#markedDirectory(parentOf(path), own)
      if (directory !== undefined) for (const key of this.#below(directory)) this.files.delete(key)
    }
    for (const { path } of marks.filter(({ path }) => !isOpaque(path))) {
      const directory = this.#markedDirectory(parentOf(path), own)
      if (directory !== undefined) this.#remove(join(directory, path.slice(path.lastIndexOf('/') + 1 + '.wh.'.length)))
    }
    for (const entry of others) {
      if (!entry.path.startsWith('.wh..wh.plnk/')) this.#add(entry)
      else if (kindOf(entry) === 'file') this.#pseudoLinks.set(entry.path, this.#fileOf(entry))
    }
    for (const { path } of marks.filter(({ path }) => isOpaque(path))) {
      const isEnd = (here: string) => this.#own.has(here)
      this.#real(parentOf(path), true, { make: true, replaces: () => true, isEnd })
    }
  }

  /** Returns the lines of `dumpView`. */
  dump(): string[] {
    const names = [...this.files.keys()].sort((a, b) => compare(a.split('/'), b.split('/')))
    const first = new Map<number, string>()
    return names.map(path => {
      const { type, mode, mtime, size, linkname, digest, inode } = this.files.get(path)!
      const link = type === 'directory' ? undefined : first.get(inode)
      if (link !== undefined) return JSON.stringify([path, 'hardlink', link])
      first.set(inode, path)
      const shown = type === 'symlink' ? 0o777 : mode
      return JSON.stringify([path, type, shown, 0, 0, mtime, size, linkname, digest, undefined, undefined, []])
    })
  }

  #add(entry: NaiveEntry): void {
    const { path, mode, mtime = 0 } = entry
    const real = join(this.#directory(parentOf(path)), path.slice(path.lastIndexOf('/') + 1))
    const before = this.files.get(real)
    const kind = kindOf(entry)
    if (kind === 'directory') {
      if (before?.type !== 'directory') this.#remove(real)
      this.files.set(real, { type: 'directory', mode: mode ?? 0o755, mtime, size: 0, inode: ++this.#inodes })
    } else if (kind === 'hardlink') {
      const pseudo = this.#pseudoLinks.get(String(entry.link))
      const target = pseudo ? '.wh..wh.plnk' : this.#real(String(entry.link), false)
      const file = pseudo ?? (target === undefined ? undefined : this.files.get(target))
      if (!file || file.type === 'directory' || `${target}/`.startsWith(`${real}/`)) {
        throw new NaiveFault('ERR_INVALID_LINK')
      }
      this.#remove(real)
      this.files.set(real, file)
      this.#own.add(real)
    } else {
      this.#remove(real)
      this.files.set(real, this.#fileOf(entry))
      this.#own.add(real)
    }
  }

  #fileOf(entry: NaiveEntry): NaiveFile {
    const { mode, mtime = 0 } = entry
    const content = Buffer.from((entry.content ?? '') as string)
    const isLink = kindOf(entry) === 'symlink'
    const rest = isLink
      ? { size: 0, linkname: String(entry.link) }
      : { size: content.length, digest: `sha256:${createHash('sha256').update(content).digest('hex')}` }
    return { type: isLink ? 'symlink' : 'file', mode: mode ?? 0o644, mtime, inode: ++this.#inodes, ...rest }
  }

  #remove(path: string): void {
    for (const key of this.#below(path)) this.files.delete(key)
    this.files.delete(path)
  }

  #below(path: string): string[] {
    return [...this.files.keys()].filter(key => path === '' || key.startsWith(`${path}/`))
  }

  #markedDirectory(path: string, own: ReadonlySet<string>): string | undefined {
    const real = this.#real(path, true, { isEnd: (_, written) => own.has(written) })
    return real === '' || this.files.get(real ?? '')?.type === 'directory' ? real : undefined
  }

  #directory(path: string): string {
    const replaces = (here: string) => !this.#own.has(here)
    const real = this.#real(path, true, { make: true, strict: true, replaces })!
    if (real !== '' && this.files.get(real)?.type !== 'directory') throw new NaiveFault('ERR_NOT_A_DIRECTORY')
    return real
  }

  /** Resolves the real path of a path, one link after the other. */
  #real(path: string, follow: boolean, how: NaiveWay = {}, hops = { left: 255 }): string | undefined {
    let real = ''
    let written = ''
    const names = path.split('/').filter(name => name !== '' && name !== '.')
    for (const [i, name] of names.entries()) {
      if (name === '..') {
        real = parentOf(real)
        continue
      }
      const here = join(real, name)
      written = join(written, name)
      let file = this.files.get(here)
      if (file && file.type !== 'directory' && how.isEnd?.(here, written)) return undefined
      if (!file && !how.make) return undefined
      if (!file || (file.type === 'file' && how.replaces?.(here))) {
        file = { type: 'directory', mode: 0o755, mtime: 0, size: 0, inode: ++this.#inodes }
        this.files.set(here, file)
      }
      const isLast = i === names.length - 1
      if (file.type === 'symlink' && (!isLast || follow)) {
        if (hops.left-- === 0) throw new NaiveFault('ERR_TOO_MANY_LINKS')
        const target = file.linkname!.startsWith('/') ? file.linkname! : join(real, file.linkname!)
        const rejoined = [target, ...names.slice(i + 1)].join('/')
        // After a link the text of the path no longer shows the place.
        const isEnd = how.isEnd && ((place: string) => how.isEnd!(place, ''))
        return this.#real(rejoined, follow, { ...how, isEnd }, hops)
      }
      if (file.type !== 'directory' && !isLast) {
        if (how.strict) throw new NaiveFault('ERR_NOT_A_DIRECTORY')
        return undefined
      }
      real = here
    }
    return real
  }
}

function kindOf(entry: Pick<RawEntry, 'type'>): 'file' | 'directory' | 'symlink' | 'hardlink' {
  const { type } = entry
  if (type === '1') return 'hardlink'
  if (type === '5') return 'directory'
  return type === '2' ? 'symlink' : 'file'
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return Buffer.compare(Buffer.from(a[i]!), Buffer.from(b[i]!))
  }
  return a.length - b.length
}
