import { LayerStoreError, RootfsError } from '../../../errors/index.ts'
import { loadXattrAccess } from '../../../internal/xattr-access.ts'
import { directXattrs, ProgramXattrs } from '../../xattrs/xattr-setter.ts'
import { EntrySplitter } from '../entries/entry-splitter.ts'
import { finishDirectories } from '../entries/finish-directories.ts'
import { type LayerMarks, MarkCollector } from '../entries/mark-collector.ts'
import { isCurable, MarksFirst } from '../entries/marks-first.ts'
import { TreeState } from '../entries/tree-state.ts'
import { TreeWriter } from '../entries/tree-writer.ts'
import type { WriterOptions } from '../entries/writer-options.ts'
import { isCaseInsensitive } from '../tree/case-insensitive.ts'
import { creationDefaultsIn } from '../tree/creation-defaults.ts'
import { MAX_DEPTH } from '../tree/directory-tree.ts'
import { NOTHING_WRITTEN } from '../unpack-report.ts'
import { openUnpackTarget, type Target } from './target.ts'
import { packFault } from './writer-fault.ts'
import type { WriterAnswer, WriterRequest } from './writer-messages.ts'

/** The writer of one tree, driven by requests that may come from another thread. */
export class WriterService {
  #directory = ''
  #target: Target | undefined
  #state: TreeState | undefined
  #writer: TreeWriter | undefined
  /** Reads the current archive. */
  #reader: EntrySplitter | MarkCollector | undefined
  /** Whiteouts of the next layer, if it was scanned. */
  #marks: LayerMarks | undefined
  /** True if layers are scanned for whiteouts before they are written. */
  #scans = false
  #limits: WriterOptions['limits']
  #fault: WriterAnswer['fault']
  readonly #loadXattrs: typeof loadXattrAccess

  constructor(loadXattrs: typeof loadXattrAccess = loadXattrAccess) {
    this.#loadXattrs = loadXattrs
  }

  /** Executes a request; never throws. */
  async answer(request: WriterRequest): Promise<WriterAnswer> {
    try {
      if (request.act === 'discard') return { ...this.#progress(), left: this.#discard() }
      if (this.#fault) return { ...this.#progress(), fault: this.#fault }
      if (request.act === 'open') await this.#open(request.directory, request.options)
      else if (request.act === 'layer') this.#beginLayer(request.name)
      else if (request.act === 'scan') this.#scan(request.name)
      else if (request.act === 'bytes') this.#reader?.take(new Uint8Array(request.bytes, 0, request.length))
      else if (request.act === 'layer-end') this.#endLayer()
      else this.#finish()
      return this.#progress()
    } catch (error) {
      const cause = told(error, this.#directory)
      const isUncertain = this.#reader && !this.#scans && isCurable(cause)
      this.#fault = packFault(isUncertain ? new MarksFirst({ cause }) : cause)
      return { ...this.#progress(), fault: this.#fault }
    }
  }

  async #open(directory: string, options: WriterOptions): Promise<void> {
    const access = await this.#loadXattrs(options.xattrPackage)
    const { xattrProgram } = options
    const xattrs = access ? directXattrs(access) : xattrProgram && new ProgramXattrs(xattrProgram)
    this.#directory = directory
    this.#limits = options.limits
    this.#target = openUnpackTarget(directory, options)
    const { root } = this.#target
    const folds = options.foldsNames || (this.#target.lateLevels > 0 && isCaseInsensitive(root))
    this.#state = new TreeState(root, { ...options, foldsNames: folds }, xattrs)
    const isPrivate = this.#target.lateLevels > 0
    this.#state.tree.root.made = isPrivate
    // SAFETY: a file created with its final mode could be executed by another user before its content is proven. Only a
    // private target prevents that, so only there the final mode is set at creation.
    if (isPrivate && options.handles === 'proc') this.#state.metadata.birth = creationDefaultsIn(root)
    this.#writer = new TreeWriter(this.#state)
  }

  #scan(name: string): void {
    this.#scans = true
    this.#reader = new MarkCollector(name, this.#limits)
  }

  #beginLayer(name: string): void {
    const writer = this.#writer as TreeWriter
    writer.beginLayer(name, this.#marks)
    this.#reader = new EntrySplitter(writer, this.#limits)
  }

  #endLayer(): void {
    if (this.#reader instanceof MarkCollector) {
      this.#marks = this.#reader.end()
      return
    }
    this.#reader?.end()
    this.#writer?.endLayer()
    this.#state?.xattrs?.flush()
    this.#reader = undefined
    this.#marks = undefined
  }

  #finish(): void {
    const [state, target] = [this.#state as TreeState, this.#target as Target]
    finishDirectories(state, { from: target.lateLevels, below: MAX_DEPTH + 1 })
    const root = target.publish()
    state.tree.moveTo(root, target.lateLevels > 1 ? 'emptied' : 'renamed')
    finishDirectories(state, { from: 0, below: target.lateLevels })
    state.xattrs?.flush()
    state.tree.close()
  }

  /** Closes and removes everything; returns the paths that are left. */
  #discard(): string[] {
    this.#writer?.close()
    this.#state?.tree.close()
    const left = this.#target?.discard() ?? []
    return [...left, ...(this.#state?.written ?? [])]
  }

  #progress(): WriterAnswer {
    if (!this.#state) return { counts: NOTHING_WRITTEN, skipped: [], left: [] }
    const { counts, skipped } = this.#state
    this.#state.skipped = []
    return { counts: { ...counts }, skipped, left: [] }
  }
}

/** Converts a system error without a path to an error about the target directory. */
function told(error: unknown, directory: string): unknown {
  if (LayerStoreError.is(error) || !(error instanceof Error && 'syscall' in error)) return error
  return new RootfsError('ERR_UNPACK', `cannot be written (${error.message})`, { path: directory }, { cause: error })
}
