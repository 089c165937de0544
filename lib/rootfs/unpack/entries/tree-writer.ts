import { closeSync, constants, ftruncateSync, linkSync, openSync, symlinkSync, writeSync } from 'node:fs'
import { FormatError, LayerStoreError, LimitError } from '../../../errors/index.ts'
import { encodeName } from '../../../internal/name-bytes.ts'
import { isPseudoLink, parseWhiteout } from '../../../layer/index.ts'
import type { TarHeader } from '../../../tar/index.ts'
import { LayerBudget } from '../../layer-budget.ts'
import { fileMode } from '../tree/creation-defaults.ts'
import type { DirectoryNode } from '../tree/directory-node.ts'
import { splitPath } from '../tree/split-path.ts'
import type { Skip } from './apply-metadata.ts'
import { applyMarksFirst, applyWhiteout, keepMarked } from './apply-whiteout.ts'
import { badDevice, type DeviceType, makeDevice } from './make-device.ts'
import type { LayerMarks } from './mark-collector.ts'
import { PseudoLinks } from './pseudo-links.ts'
import type { TreeState } from './tree-state.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
/** Largest valid id; to the system, the next number means "keep the owner". */
const MAX_ID = 0xffff_fffe

/** Devices and FIFOs of one unpacking; old distributions have some thousands. */
const MOST_DEVICES = 10_000

/** A file whose content is being written. */
interface OpenFile {
  readonly fd: number
  readonly born: number
  readonly header: TarHeader
  /** Offset of the next bytes. */
  at: number
  /** True if the last part was a hole. */
  inHole: boolean
}

/**
 * Writes the entries of layers, lowest layer first, each layer in its own order. All methods are synchronous and block,
 * so run them in a worker thread.
 */
export class TreeWriter {
  readonly #state: TreeState
  readonly #pseudoLinks: PseudoLinks
  #marksAreApplied = false
  /** Number of devices and FIFOs that the layers asked for. */
  #devices = 0
  /** The file whose content is being written. */
  #file: OpenFile | undefined

  constructor(state: TreeState) {
    this.#state = state
    this.#pseudoLinks = new PseudoLinks(state)
  }

  /**
   * Begins a layer.
   *
   * @param marks - The whiteouts of the layer, if they are known; those among its entries are then skipped.
   */
  beginLayer(name: string, marks?: LayerMarks): void {
    const state = this.#state
    state.layer++
    state.layerName = name
    this.#marksAreApplied = marks !== undefined
    state.budget = new LayerBudget()
    state.budget.addEntries(marks?.entries ?? 0)
    if (marks) this.#guarded('.', () => applyMarksFirst(state, marks))
  }

  /** Ends a layer. */
  endLayer(): void {
    this.#guarded('.', () => {
      this.#pseudoLinks.removeAll()
      keepMarked(this.#state)
    })
  }

  /** Writes an entry; for a file, calls of {@link TreeWriter.write} and {@link TreeWriter.end} follow. */
  begin(header: TarHeader): void {
    this.#guarded(header.path, () => this.#begin(header))
  }

  /** Writes the next bytes of the current file; bytes of any other kind of entry are dropped. */
  write(bytes: Uint8Array): void {
    const file = this.#file
    if (!file) return
    this.#guarded(file.header.path, () => {
      for (let done = 0; done < bytes.byteLength; ) {
        done += writeSync(file.fd, bytes, done, bytes.byteLength - done, file.at + done)
      }
    })
    file.at += bytes.byteLength
    file.inHole = false
    this.#state.counts.bytes += bytes.byteLength
  }

  /** Skips bytes of a sparse file: they read as zeros and take no space. */
  leaveHole(bytes: number): void {
    const file = this.#file
    if (!file) return
    file.at += bytes
    file.inHole = true
    this.#state.counts.bytes += bytes
  }

  /** Ends the file: owner, mode and time are applied after the content. */
  end(): void {
    const file = this.#file
    if (!file) return
    const { path } = file.header
    this.#guarded(path, () => {
      if (file.inHole) ftruncateSync(file.fd, file.at)
      this.#state.metadata.toFile(file.fd, file.header, file.born, this.#skip(path))
    })
    this.#close()
    // A pseudo-link is counted when its first name is linked.
    if (!isPseudoLink(path)) this.#state.counts.files++
  }

  /** Closes the current file and removes the temporary files of the layer. */
  close(): void {
    this.#close()
    try {
      this.#pseudoLinks.removeAll()
    } catch {
      // The failure that led here is the one to be told; what is left is among what was written.
    }
  }

  #close(): void {
    if (this.#file) closeSync(this.#file.fd)
    this.#file = undefined
  }

  #begin(header: TarHeader): void {
    const state = this.#state
    if (!this.#marksAreApplied) state.budget.addEntries(1)
    const mark = parseWhiteout(header.path, state.layerName)
    if (!mark) this.#place(splitPath(header.path, state.options.windowsNames), header)
    else if (mark.kind !== 'ignored') {
      if (!this.#marksAreApplied) applyWhiteout(state, mark)
    } else if (header.type === 'file' && isPseudoLink(header.path)) {
      this.#openFile(state.tree.root, this.#pseudoLinks.add(header.path), header, { isTemporary: true })
    }
  }

  #place(way: string[], header: TarHeader): void {
    const state = this.#state
    if (header.uid > MAX_ID || header.gid > MAX_ID) {
      throw new FormatError('ERR_INVALID_TAR', `no file can belong to ${header.uid}:${header.gid}`)
    }
    const name = way.pop()
    if (name === undefined) {
      this.#root(header)
      return
    }
    const directory = state.enter(way)
    this.#noteDuplicate(directory, name, header)
    if (header.type === 'directory') this.#directory(directory, name, header)
    else if (header.type === 'file') this.#openFile(directory, name, header)
    else if (header.type === 'symlink') this.#symbolicLink(directory, name, header)
    else if (header.type === 'hardlink') this.#hardLink(directory, name, header)
    else this.#device(directory, name, header, header.type)
    if (header.type !== 'directory') directory.put(name, state.layer)
  }

  /**
   * SAFETY: a layer may have an entry of any kind for the root. The root must stay the given directory, so only its
   * metadata is taken.
   */
  #root(header: TarHeader): void {
    const { root } = this.#state.tree
    if (header.type !== 'directory') {
      throw this.#state.fault('ERR_UNSAFE_PATH', `the root cannot be a ${header.type}`, header.path)
    }
    root.touch(this.#state.layer)
    root.metadata = header
    root.metadataLayer = this.#state.layer
  }

  #directory(parent: DirectoryNode, name: string, header: TarHeader): void {
    const state = this.#state
    // SAFETY: a link of a lower layer under this name may lead outside. It is replaced and not followed, so its target
    // cannot get the mode or content of this entry.
    const found = state.tree.look(parent, name)
    const node = found.kind === 'directory' ? found.node : state.makeDirectory(parent, name, header.mode)
    node.touch(state.layer)
    node.metadata = header
    node.metadataLayer = state.layer
  }

  #openFile(
    directory: DirectoryNode,
    name: string,
    header: TarHeader,
    options: { readonly isTemporary?: boolean } = {},
  ): void {
    // SAFETY: opening an existing path could write through a link, or into a file with other names. The path is removed
    // and the file created anew, with O_EXCL.
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    const born = fileMode(this.#state.metadata.birth, header.mode)
    const fd = this.#state.create(directory, name, path => openSync(path, flags, born), options)
    this.#file = { fd, born, header, at: 0, inHole: false }
  }

  #symbolicLink(directory: DirectoryNode, name: string, header: TarHeader): void {
    const state = this.#state
    const target = header.linkname ?? ''
    if (target === '' || target.includes('\0')) {
      throw state.fault('ERR_INVALID_LINK', 'a symbolic link without a target', header.path)
    }
    state.create(directory, name, path => symlinkSync(encodeName(target), path))
    state.metadata.toLink(state.tree.at(directory, name), header, this.#skip(header.path))
    state.counts.links++
  }

  #hardLink(directory: DirectoryNode, name: string, header: TarHeader): void {
    const state = this.#state
    const invalid = (why: string) => state.fault('ERR_INVALID_LINK', `a hard link to ${why}`, header.path)
    if (this.#pseudoLinks.link(header.linkname ?? '', directory, name)) return
    const way = splitPath(header.linkname ?? '', state.options.windowsNames)
    const targetName = way.pop()
    if (targetName === undefined) throw invalid('the root')
    const target = state.find(way)
    const found = target ? state.tree.look(target, targetName).kind : 'absent'
    if (!target || found === 'absent') throw invalid('something that is not there')
    if (found === 'directory') throw invalid('a directory')
    if (target === directory && targetName === name) throw invalid('itself')
    if (isIn(target, directory.children.get(name))) throw invalid('something inside itself')
    target.use(targetName, state.layer)
    // A hard link to a symbolic link is another name of that link; linkat does not follow it. The target has its
    // metadata already.
    state.create(directory, name, path =>
      state.tree.holding(directory, () => linkSync(state.tree.at(target, targetName), path)),
    )
    state.counts.links++
  }

  #device(directory: DirectoryNode, name: string, header: TarHeader, type: DeviceType): void {
    const state = this.#state
    const { devices, rootless } = state.options
    if (devices === 'error') throw state.fault('ERR_UNSUPPORTED_ENTRY', `a ${type} is not wanted`, header.path)
    const device = { type, major: header.devMajor ?? 0, minor: header.devMinor ?? 0 }
    // Even if the device is not created, it replaces the path of the lower layer.
    state.clear(directory, name)
    const needsRoot = devices === 'auto' && rootless && type !== 'fifo'
    const unwanted = devices === 'skip' ? 'left out as asked' : needsRoot ? 'needs root' : undefined
    // SAFETY: each is made by a program of its own, which takes some milliseconds.
    if (!unwanted && ++this.#devices > MOST_DEVICES) {
      throw new LimitError('devices and FIFOs of an image', { limit: MOST_DEVICES, actual: this.#devices })
    }
    const reason =
      unwanted ??
      badDevice(type, device.major, device.minor) ??
      state.create(directory, name, path => makeDevice(state.tree.locate(directory), path, device))
    if (reason === undefined) {
      state.metadata.toDevice(state.tree.at(directory, name), header, this.#skip(header.path))
      state.counts.devices++
      return
    }
    if (devices === 'create') throw state.fault('ERR_UNSUPPORTED_ENTRY', `a ${type}: ${reason}`, header.path)
    state.skip(header.path, type === 'fifo' ? 'fifo' : 'device', reason)
  }

  #noteDuplicate(directory: DirectoryNode, name: string, header: TarHeader): void {
    const { layer } = this.#state
    if (!directory.has(name, layer) && directory.children.get(name)?.metadataLayer !== layer) return
    this.#state.skip(header.path, 'duplicate', 'a later entry of the same layer has taken its place')
  }

  #skip(path: string): Skip {
    return (what, reason) => this.#state.skip(path, what, reason)
  }

  /** Converts system errors to errors with the path of the entry. */
  #guarded(path: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (LayerStoreError.is(error)) throw error
      throw this.#state.fault('ERR_UNPACK', `cannot be written (${(error as Error).message})`, path, error)
    }
  }
}

function isIn(directory: DirectoryNode, top: DirectoryNode | undefined): boolean {
  for (let node: DirectoryNode | undefined = top && directory; node; node = node.parent) if (node === top) return true
  return false
}
