import { writeSync } from 'node:fs'
import {
  createDigester,
  type Digester,
  type LentFile,
  type LentProgress,
  restoreDigester,
} from '../../../digest/index.ts'
import type { SentFile } from './blob-messages.ts'

/** A lent file in the thread that appends to it. Calls are synchronous, since the thread has no other work. */
export class AppendedFile {
  readonly #file: LentFile
  readonly #digester: Digester
  #writtenMs: number | undefined

  /** Restores the hash of a file. */
  static async open(file: LentFile): Promise<AppendedFile> {
    const { checkpoint } = file
    return new AppendedFile(file, checkpoint ? await restoreDigester(checkpoint) : await createDigester(file))
  }

  private constructor(file: LentFile, digester: Digester) {
    this.#file = file
    this.#digester = digester
  }

  /** Number of bytes that are both written and hashed. */
  get position(): number {
    return this.#digester.bytesHashed
  }

  /** Writes bytes, then hashes them. Bytes of a failed write are not hashed, so they do not count. */
  append(bytes: Uint8Array): void {
    const { fd } = this.#file
    for (let done = 0; done < bytes.byteLength; ) {
      done += writeSync(fd, bytes, done, bytes.byteLength - done, this.position + done)
      this.#writtenMs = Date.now()
    }
    this.#digester.update(bytes)
  }

  /** The progress now. */
  progress(): LentProgress {
    const { position } = this
    const canSave = this.#file.hasher !== 'native' && position > 0
    return { position, checkpoint: canSave ? this.#digester.save() : undefined }
  }

  /** Ends the use of the file. */
  end(): SentFile {
    const progress = { ...this.progress(), writtenMs: this.#writtenMs }
    if (this.#file.hasher === 'native') return { ...progress, digest: this.#digester.digest() }
    this.#digester.release()
    return progress
  }
}
