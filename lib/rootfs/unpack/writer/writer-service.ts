import { LayerStoreError, RootfsError } from '../../../errors/index.ts'
import { finishDirectories } from '../entries/finish-directories.ts'
import { TreeState } from '../entries/tree-state.ts'
import { TreeWriter } from '../entries/tree-writer.ts'
import type { WriterOptions } from '../entries/writer-options.ts'
import { loadXattrSetter, type XattrSetter } from '../entries/xattrs.ts'
import { MAX_DEPTH } from '../tree/directory-tree.ts'
import { foldsNames } from '../tree/folds-names.ts'
import { unpackSteps } from './steps-text.ts'
import { openTarget, type Target } from './target.ts'
import { packFault } from './writer-fault.ts'
import type { WriterAnswer, WriterRequest, WriterStep } from './writer-messages.ts'

/** The writer of one tree behind requests that can come from another thread. */
export class WriterService {
  #directory = ''
  #target: Target | undefined
  #state: TreeState | undefined
  #writer: TreeWriter | undefined
  #fault: WriterAnswer['fault']
  readonly #loadXattrs: () => Promise<XattrSetter | undefined>

  constructor(loadXattrs: () => Promise<XattrSetter | undefined> = loadXattrSetter) {
    this.#loadXattrs = loadXattrs
  }

  /** Does what is asked; never throws. */
  async answer(request: WriterRequest): Promise<WriterAnswer> {
    try {
      if (request.act === 'discard') return { left: this.#discard() }
      if (this.#fault) return { fault: this.#fault }
      if (request.act === 'open') await this.#open(request.directory, request.options)
      else if (request.act === 'layer') this.#writer?.beginLayer(request.name)
      else if (request.act === 'batch') this.#take(unpackSteps(request.steps), new Uint8Array(request.bytes))
      else this.#finish()
      return this.#progress()
    } catch (error) {
      this.#fault = packFault(told(error, this.#directory))
      return { fault: this.#fault }
    }
  }

  async #open(directory: string, options: WriterOptions): Promise<void> {
    const setXattr = await this.#loadXattrs()
    this.#directory = directory
    this.#target = openTarget(directory, options)
    const { root } = this.#target
    const folds = options.foldsNames || (this.#target.lateLevels > 0 && foldsNames(root))
    this.#state = new TreeState(root, { ...options, foldsNames: folds }, setXattr)
    this.#state.tree.root.made = this.#target.lateLevels > 0
    this.#writer = new TreeWriter(this.#state)
  }

  #take(steps: readonly WriterStep[], bytes: Uint8Array): void {
    for (const { header, offset, length, last } of steps) {
      if (header) this.#writer?.begin(header)
      if (length > 0) this.#writer?.write(bytes.subarray(offset, offset + length))
      if (last) this.#writer?.end()
    }
  }

  #finish(): void {
    const [state, target] = [this.#state as TreeState, this.#target as Target]
    finishDirectories(state, { from: target.lateLevels, below: MAX_DEPTH + 1 })
    const root = target.publish()
    state.tree.moveTo(root, target.lateLevels > 1 ? 'emptied' : 'renamed')
    finishDirectories(state, { from: 0, below: target.lateLevels })
    state.tree.close()
  }

  /** Closes and removes everything; gives what is left. */
  #discard(): string[] {
    this.#writer?.close()
    this.#state?.tree.close()
    const left = this.#target?.discard() ?? []
    return [...left, ...(this.#state?.written ?? [])]
  }

  #progress(): WriterAnswer {
    if (!this.#state) return {}
    const { counts, skipped } = this.#state
    this.#state.skipped = []
    return { counts: { ...counts }, skipped }
  }
}

/** What the system refuses is told with the directory, if nobody knew better. */
function told(error: unknown, directory: string): unknown {
  if (LayerStoreError.is(error) || !(error instanceof Error && 'syscall' in error)) return error
  return new RootfsError('ERR_UNPACK', `cannot be written (${error.message})`, { path: directory }, { cause: error })
}
