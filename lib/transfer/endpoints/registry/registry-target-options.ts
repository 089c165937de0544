import type { Digest } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { UploadMemory } from '../../../registry/index.ts'
import type { KnownSource } from '../../../store/index.ts'
import type { PushTurns } from '../store/push-turns.ts'

/** How a registry is to be filled. */
export interface RegistryTargetOptions {
  /** Tags that the image gets besides that of the reference. */
  readonly tags?: readonly string[] | undefined
  /** Repositories of the same registry that may hold some of the blobs already, to be mounted from. */
  readonly mountFrom?: readonly string[] | undefined
  /** Bytes of a piece of an upload. @defaultValue the client's */
  readonly chunkBytes?: number | undefined
  /** Where unfinished uploads are remembered, so that another process can go on with them. */
  readonly uploads?: UploadMemory | undefined
  /** Takes turns with other processes that push the same blobs from the same store. */
  readonly turns?: PushTurns | undefined
  /** Repositories that are thought to have a blob. */
  readonly knownSources?: ((digest: Digest, options: AbortOptions) => Promise<readonly KnownSource[]>) | undefined
}
