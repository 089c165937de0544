import type { Digest } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { UploadMemory } from '../../../registry/index.ts'
import type { KnownSource } from '../../../store/index.ts'
import type { PushTurns } from '../store/push-turns.ts'

/** Options of a registry as a target. */
export interface RegistryTargetOptions {
  /** Further tags for the image, besides the tag of the reference. */
  readonly tags?: readonly string[] | undefined
  /** Repositories of the same registry that may already hold some of the blobs; the registry mounts blobs from them. */
  readonly mountFrom?: readonly string[] | undefined
  /** Size of an upload chunk in bytes. @defaultValue the client's */
  readonly chunkBytes?: number | undefined
  /** Storage for the state of unfinished uploads, so that another process can resume them. */
  readonly uploads?: UploadMemory | undefined
  /** Locks shared with other processes that push the same blobs from the same store. */
  readonly turns?: PushTurns | undefined
  /** Resolves to the repositories that are believed to hold a blob. */
  readonly knownSources?: ((digest: Digest, options: AbortOptions) => Promise<readonly KnownSource[]>) | undefined
}
