/** One way in which a faulty registry misbehaves. Bytes are counted in the body of the answer, unless it says otherwise. */
export type RegistryFault =
  /** The connection ends after so many bytes of the answer's body; by a reset, some of them may get lost on their way. */
  | {
      /** Which fault. */
      readonly kind: 'cut'
      /** Bytes that go through before it happens. */
      readonly after: number
      /** Whether the connection is reset instead of closed. */
      readonly reset?: boolean
    }
  /** The connection breaks after so many bytes of the request's body; the registry behind has got those. */
  | {
      /** Which fault. */
      readonly kind: 'cut-request'
      /** Bytes that go through before it happens. */
      readonly after: number
    }
  /** The request is carried out, but the connection breaks before the answer. */
  | {
      /** Which fault. */
      readonly kind: 'lost-answer'
    }
  /** One byte is another one. */
  | {
      /** Which fault. */
      readonly kind: 'flip'
      /** Byte that is changed. */
      readonly at: number
    }
  /** The body is shorter by so many bytes, and says so. */
  | {
      /** Which fault. */
      readonly kind: 'short-body'
      /** How many bytes fewer or more. */
      readonly by: number
    }
  /** The part that is sent is said to be another one. */
  | {
      /** Which fault. */
      readonly kind: 'wrong-content-range'
      /** What the header says. */
      readonly value: string
    }
  /** A request for a part is answered with everything, by status 200. */
  | {
      /** Which fault. */
      readonly kind: 'ignore-range'
    }
  /** The body comes at so many bytes per second. */
  | {
      /** Which fault. */
      readonly kind: 'slow'
      /** Speed. */
      readonly bytesPerSecond: number
    }
  /** After so many bytes nothing comes any more, and the connection stays open. */
  | {
      /** Which fault. */
      readonly kind: 'stall'
      /** Bytes that go through before it happens. */
      readonly after: number
    }
  /** Status 401, with a challenge or without. */
  | {
      /** Which fault. */
      readonly kind: 'unauthorized'
      /** The challenge of the answer. */
      readonly challenge?: string
    }
  /** Status 429; a number is in seconds, a date is sent as one. */
  | {
      /** Which fault. */
      readonly kind: 'too-many-requests'
      /** What `Retry-After` says. */
      readonly retryAfter?: number | Date
    }
  /** The upload that the request is for is forgotten, and the answer says so. */
  | {
      /** Which fault. */
      readonly kind: 'lost-upload'
    }
  /** The address of an upload has no host, another origin, or is missing; or is the text. */
  | {
      /** Which fault. */
      readonly kind: 'location'
      /** What the header says. */
      readonly value: 'relative' | 'elsewhere' | 'none' | (string & {})
    }
  /** The request is sent on to the other origin, or to an address. */
  | {
      /** Which fault. */
      readonly kind: 'redirect'
      /** Where to. */
      readonly to?: string
      /** Status of the answer. */
      readonly status?: number
    }
  /** `Docker-Content-Digest` is that of other bytes. */
  | {
      /** Which fault. */
      readonly kind: 'wrong-digest-header'
      /** What the header says. */
      readonly value?: string
    }
  /** The next page of a list is the same page. */
  | {
      /** Which fault. */
      readonly kind: 'link-loop'
    }
  /** Any other answer. */
  | {
      /** Which fault. */
      readonly kind: 'answer'
      /** Status of the answer. */
      readonly status: number
      /** Headers of the answer. */
      readonly headers?: Readonly<Record<string, string>>
      /** Body of the answer. */
      readonly body?: string
    }

/** Which requests a fault happens to. */
export interface FaultCondition {
  /** HTTP method. @defaultValue every one */
  readonly method?: string | undefined
  /** What the path and query match. @defaultValue every one */
  readonly path?: RegExp | undefined
  /** Which of the two origins they come to. @defaultValue `registry` */
  readonly origin?: SeenByRegistry['origin'] | undefined
  /** Requests that fit, but are spared before the first fault. @defaultValue `0` */
  readonly skip?: number | undefined
  /** How often it happens. @defaultValue `1` */
  readonly times?: number | undefined
}

/** A request as a faulty registry saw it. */
export interface SeenByRegistry {
  /** Which of the two origins it came to. */
  readonly origin: 'registry' | 'elsewhere'
  /** HTTP method. */
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** All headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Bytes of its body that came so far. */
  received: number
  /** Bytes of the body of the answer that were sent so far. */
  sent: number
  /** What was done to it. */
  fault: RegistryFault['kind'] | undefined
}

interface Planned {
  readonly fault: RegistryFault
  readonly condition: FaultCondition
  skipped: number
  left: number
}

/** The faults that are still to happen. */
export class FaultPlan {
  readonly #planned: Planned[] = []

  add(fault: RegistryFault, condition: FaultCondition): void {
    this.#planned.push({ fault, condition, skipped: 0, left: condition.times ?? 1 })
  }

  clear(): void {
    this.#planned.length = 0
  }

  /** The fault for a request, of which one is used up; the first that was planned wins. */
  take({ origin, method, path }: SeenByRegistry): RegistryFault | undefined {
    for (const planned of this.#planned) {
      const { condition } = planned
      if (origin !== (condition.origin ?? 'registry')) continue
      if (planned.left === 0 || (condition.method !== undefined && condition.method !== method)) continue
      if (condition.path && !new RegExp(condition.path.source, condition.path.flags).test(path)) continue
      if (planned.skipped++ < (condition.skip ?? 0)) continue
      planned.left--
      return planned.fault
    }
    return undefined
  }
}
