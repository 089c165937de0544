import { LayerStoreError } from './base.ts'

/** An index without a manifest for the requested platform. */
export class PlatformNotFoundError extends LayerStoreError {
  readonly code = 'ERR_PLATFORM_NOT_FOUND'
  /** The requested platform, as `os/architecture[/variant]`. */
  readonly wanted: string
  /** The platforms of the index. */
  readonly available: readonly string[]

  /** @internal */
  constructor(details: { wanted: string; available: readonly string[]; what: string }, options?: ErrorOptions) {
    const available = details.available.length > 0 ? details.available.join(', ') : 'none'
    super(`no image for platform ${details.wanted} in ${details.what}: available are ${available}`, options)
    this.wanted = details.wanted
    this.available = details.available
  }
}
