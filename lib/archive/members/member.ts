import type { Digest } from '../../digest/index.ts'
import type { DigestMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'

/** Range of a member to read. */
export interface ReadMemberOptions extends AbortOptions {
  /** Offset of the first byte. @defaultValue `0` */
  readonly offset?: number | undefined
  /** Maximum number of bytes. @defaultValue up to the end */
  readonly length?: number | undefined
}

/** A regular file in an archive. */
export interface Member {
  /** Path in the archive. */
  readonly path: string
  /** Size of the content in bytes. */
  readonly size: number
  /** Digest of the content: taken from a path under `blobs/`, or computed. */
  readonly digest?: Digest | undefined
  /**
   * The error if the content of a streamed file did not match the digest in its path; the content is not available
   * then.
   */
  readonly wrong?: DigestMismatchError | undefined
  /** Reads the content without verifying it. */
  read(options?: ReadMemberOptions): AsyncIterable<Uint8Array>
}
