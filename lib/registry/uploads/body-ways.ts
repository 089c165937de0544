import type { RegistryError } from '../../errors/index.ts'

/** Request that carries the bytes of a blob: the PUT that closes the upload, or PATCH requests before it. */
export type BodyWay = 'PUT' | 'PATCH'

/** The method that a registry is known to require. */
export interface LearnedWay {
  bodyWay: BodyWay | undefined
}

/**
 * Chooses between PUT and PATCH. Some registries accept bodies by PATCH only (docker/buildx#196), some by PUT only
 * (openai/tart#179). A blob that fails by one method is sent by the other.
 */
export class BodyWays {
  readonly #learned: LearnedWay
  #next: BodyWay | undefined
  #refused: { readonly way: BodyWay; readonly error: RegistryError } | undefined

  constructor(learned: LearnedWay) {
    this.#learned = learned
    this.#next = learned.bodyWay
  }

  /** The method to use; `undefined` while both may work. */
  get next(): BodyWay | undefined {
    return this.#next
  }

  /** True if the registry has refused the method. */
  isRefused(way: BodyWay): boolean {
    return this.#refused?.way === way
  }

  /** Records that a method failed, perhaps temporarily: the next try uses the other one unless it was refused. */
  avoid(way: BodyWay): void {
    const other = otherThan(way)
    if (!this.isRefused(other)) this.#next = other
  }

  /** Records that the registry refuses a method. If it refuses both, throws the refusal of the first. */
  refuse(way: BodyWay, error: RegistryError): void {
    if (this.#refused && this.#refused.way !== way) throw this.#refused.error
    this.#refused ??= { way, error }
    this.#next = otherThan(way)
  }

  /** Records that the blob was stored. If the other method had failed, later blobs use this one at once. */
  succeeded(way: BodyWay): void {
    if (this.#next === way) this.#learned.bodyWay = way
  }
}

function otherThan(way: BodyWay): BodyWay {
  return way === 'PUT' ? 'PATCH' : 'PUT'
}
