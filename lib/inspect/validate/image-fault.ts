import { type Digest, isDigest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'

/** A fault of an image. */
export interface ImageFault {
  /** `error` if some reader must refuse the image; `warning` if readers disagree or something is only unusual. */
  readonly severity: 'error' | 'warning'
  /** Code of the error that this library reports for it, or the name of the rule for a warning. */
  readonly code: string
  /** Place in the image: `index`, `linux/amd64 manifest`, `linux/amd64 layer 2`. */
  readonly at: string
  /** Digest of the document or blob. */
  readonly digest?: Digest
  /** Description, with what was expected and what was found. */
  readonly message: string
}

/** Collects the faults of an image in the order in which they are found. */
export class FaultList {
  readonly faults: ImageFault[] = []

  warn(code: string, at: string, { digest }: Pick<Descriptor, 'digest'>, message: string): void {
    this.faults.push({ severity: 'warning', code, at, digest, message })
  }

  error(code: string, at: string, { digest }: Pick<Descriptor, 'digest'>, message: string): void {
    this.faults.push({ severity: 'error', code, at, digest, message })
  }

  /**
   * Runs a step, and records an error of this library as a fault. Resolves to `undefined` then. Other errors, such as
   * an abort, are rethrown.
   */
  async record<T>(at: string, { digest }: { readonly digest: string }, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step()
    } catch (error) {
      if (!LayerStoreError.is(error)) throw error
      const { code, message } = error
      this.faults.push({ severity: 'error', code, at, ...(isDigest(digest) ? { digest } : {}), message })
      return undefined
    }
  }
}
