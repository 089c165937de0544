import type { Digest } from '../../digest/index.ts'
import type { DigestMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'

/** Which part of a member to read. */
export interface ReadMemberOptions extends AbortOptions {
  /** First byte. @defaultValue `0` */
  readonly offset?: number | undefined
  /** Number of bytes at most. @defaultValue up to the end */
  readonly length?: number | undefined
}

/** A regular file in an archive. */
export interface Member {
  /** Where it stands in the archive. */
  readonly path: string
  /** Bytes of its content. */
  readonly size: number
  /** Digest of its content: what its path under `blobs/` says, else what hashing has told. */
  readonly digest?: Digest | undefined
  /** Why its content is not there: it passed by, and has another digest than the path says. */
  readonly wrong?: DigestMismatchError | undefined
  /** Its content, not compared with anything. */
  read(options?: ReadMemberOptions): AsyncIterable<Uint8Array>
}
