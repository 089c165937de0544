import type {
  Digest,
  FileBorrower,
  FileLoan,
  LentFile,
  ReturnedFile,
  StreamDigester,
  WriterRefusal,
} from '../../digest/index.ts'

/** Takes a returned file back; resolves to the reason why the writer takes no more bytes. */
type TakeBack = (returned: ReturnedFile) => Promise<WriterRefusal | undefined>

/** The file of an ingest while a thread appends to it. */
export class IngestLoan implements FileLoan {
  readonly file: LentFile
  /** Resolves when the writer has the file back. */
  readonly over: Promise<void>
  readonly #borrower: FileBorrower
  readonly #takeBack: TakeBack
  #onOver!: () => void

  constructor(file: LentFile, borrower: FileBorrower, takeBack: TakeBack) {
    this.file = file
    this.#borrower = borrower
    this.#takeBack = takeBack
    this.over = new Promise(resolve => {
      this.#onOver = resolve
    })
  }

  progress(): ReturnType<FileBorrower['progress']> {
    return this.#borrower.progress()
  }

  /** Ends the loan early. */
  async recall(): Promise<void> {
    this.#borrower.stop()
    await this.over
  }

  async giveBack(returned: ReturnedFile): Promise<WriterRefusal | undefined> {
    try {
      return await this.#takeBack(returned)
    } finally {
      this.#onOver()
    }
  }
}

/** The part of a digester that an ingest needs. */
export type IngestDigester = Pick<StreamDigester, 'bytesHashed' | 'update' | 'save' | 'digest' | 'release'>

/**
 * Hash of bytes that a thread hashed with an engine whose state cannot be saved: it knows their digest, and reads them
 * back only if more bytes follow.
 */
export class KnownDigest implements IngestDigester {
  readonly #known: { readonly bytes: number; readonly digest: Digest }
  readonly #readBack: () => Promise<StreamDigester>
  #digester: StreamDigester | undefined

  constructor(known: { readonly bytes: number; readonly digest: Digest }, readBack: () => Promise<StreamDigester>) {
    this.#known = known
    this.#readBack = readBack
  }

  get bytesHashed(): number {
    return this.#digester?.bytesHashed ?? this.#known.bytes
  }

  async update(chunk: Uint8Array): Promise<void> {
    await (await this.#open()).update(chunk)
  }

  async save(): ReturnType<StreamDigester['save']> {
    return (await this.#open()).save()
  }

  async digest(): Promise<Digest> {
    return this.#digester ? this.#digester.digest() : this.#known.digest
  }

  release(): void {
    this.#digester?.release()
  }

  async #open(): Promise<StreamDigester> {
    this.#digester ??= await this.#readBack()
    return this.#digester
  }
}
