import type { RegistryError } from '../../errors/index.ts'

/** How the bytes of a blob reach the registry: with the PUT that closes the upload, or before it, by PATCH. */
export type BodyWay = 'PUT' | 'PATCH'

/** What a registry has shown of the ways that it takes. */
export interface LearnedWay {
  bodyWay: BodyWay | undefined
}

/**
 * Chooses between the two ways. Some registries take bodies by PATCH only (docker/buildx#196), some by PUT only
 * (openai/tart#179): a blob that one way cannot deliver goes the other way.
 */
export class BodyWays {
  readonly #learned: LearnedWay
  #next: BodyWay | undefined
  #refused: { readonly way: BodyWay; readonly error: RegistryError } | undefined

  constructor(learned: LearnedWay) {
    this.#learned = learned
    this.#next = learned.bodyWay
  }

  /** The way to take; `undefined` as long as nothing speaks against either. */
  get next(): BodyWay | undefined {
    return this.#next
  }

  /** Whether the registry has refused the way. */
  isRefused(way: BodyWay): boolean {
    return this.#refused?.way === way
  }

  /** The way has failed, perhaps in passing: tries the other one next, unless that is refused. */
  avoid(way: BodyWay): void {
    const other = otherThan(way)
    if (!this.isRefused(other)) this.#next = other
  }

  /** The registry does not take the way. Throws the refusal of the first way if it does not take the other one either. */
  refuse(way: BodyWay, error: RegistryError): void {
    if (this.#refused && this.#refused.way !== way) throw this.#refused.error
    this.#refused ??= { way, error }
    this.#next = otherThan(way)
  }

  /** The blob has arrived: after a failure of the other way, the next blob takes this one at once. */
  succeeded(way: BodyWay): void {
    if (this.#next === way) this.#learned.bodyWay = way
  }
}

function otherThan(way: BodyWay): BodyWay {
  return way === 'PUT' ? 'PATCH' : 'PUT'
}
