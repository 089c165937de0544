/** A fault of a faulty registry. Byte counts refer to the body of the answer unless a member says otherwise. */
export type RegistryFault =
  /** Ends the connection after a number of bytes. After a reset, some of these bytes may be lost. */
  | {
      /** Discriminant. */
      readonly kind: 'cut'
      /** Number of bytes to send before the connection ends. */
      readonly after: number
      /** Reset the connection instead of closing it. @defaultValue `false` */
      readonly reset?: boolean
    }
  /** Breaks the connection after a number of bytes of the request's body, which the real registry has received. */
  | {
      /** Discriminant. */
      readonly kind: 'cut-request'
      /** Number of bytes of the request's body to accept before the connection ends. */
      readonly after: number
    }
  /** Forwards the request, but breaks the connection before the answer. */
  | {
      /** Discriminant. */
      readonly kind: 'lost-answer'
    }
  /** Changes one byte. */
  | {
      /** Discriminant. */
      readonly kind: 'flip'
      /** Offset of the byte that is changed. */
      readonly at: number
    }
  /** Shortens the body, with a matching `Content-Length`. */
  | {
      /** Discriminant. */
      readonly kind: 'short-body'
      /** Number of bytes removed from the end. */
      readonly by: number
    }
  /** Sends the requested part with another `Content-Range`. */
  | {
      /** Discriminant. */
      readonly kind: 'wrong-content-range'
      /** Value of the header. */
      readonly value: string
    }
  /** Answers a request for a part with the whole body and status 200. */
  | {
      /** Discriminant. */
      readonly kind: 'ignore-range'
    }
  /** Sends the body at a limited rate. */
  | {
      /** Discriminant. */
      readonly kind: 'slow'
      /** Rate in bytes per second. */
      readonly bytesPerSecond: number
    }
  /** Stops sending after a number of bytes and keeps the connection open. */
  | {
      /** Discriminant. */
      readonly kind: 'stall'
      /** Number of bytes to send before the answer stalls. */
      readonly after: number
    }
  /** Answers with status 401, with or without a challenge. */
  | {
      /** Discriminant. */
      readonly kind: 'unauthorized'
      /** Value of `WWW-Authenticate`; no header if absent. */
      readonly challenge?: string
    }
  /** Answers with status 429. */
  | {
      /** Discriminant. */
      readonly kind: 'too-many-requests'
      /** Value of `Retry-After`, in seconds or as a date; no header if absent. */
      readonly retryAfter?: number | Date
    }
  /** Answers that the upload is unknown (status 404). */
  | {
      /** Discriminant. */
      readonly kind: 'lost-upload'
    }
  /** Changes the `Location` of an upload: without host, at the other origin, missing, or any text. */
  | {
      /** Discriminant. */
      readonly kind: 'location'
      /** Value of the header: a kind of location, or the text itself. */
      readonly value: 'relative' | 'elsewhere' | 'none' | (string & {})
    }
  /** Redirects the request to the other origin or to a URL. */
  | {
      /** Discriminant. */
      readonly kind: 'redirect'
      /** Target of the redirect. @defaultValue the same path at `elsewhere` */
      readonly to?: string
      /** Status of the answer. */
      readonly status?: number
    }
  /** Sends the `Docker-Content-Digest` of other bytes. */
  | {
      /** Discriminant. */
      readonly kind: 'wrong-digest-header'
      /** Value of the header. */
      readonly value?: string
    }
  /** Names the same page of a list as the next page. */
  | {
      /** Discriminant. */
      readonly kind: 'link-loop'
    }
  /** Sends any other answer. */
  | {
      /** Discriminant. */
      readonly kind: 'answer'
      /** Status of the answer. */
      readonly status: number
      /** Headers of the answer. */
      readonly headers?: Readonly<Record<string, string>>
      /** Body of the answer. */
      readonly body?: string
    }

/** Selects the requests that a fault applies to. */
export interface FaultCondition {
  /** HTTP method. @defaultValue any */
  readonly method?: string | undefined
  /** Pattern for path and query. @defaultValue any */
  readonly path?: RegExp | undefined
  /** Origin that receives the request. @defaultValue `registry` */
  readonly origin?: SeenByRegistry['origin'] | undefined
  /** Number of matching requests to answer correctly before the first fault. @defaultValue `0` */
  readonly skip?: number | undefined
  /** Number of matching requests that the fault applies to. @defaultValue `1` */
  readonly times?: number | undefined
}

/** A request that a faulty registry received. */
export interface SeenByRegistry {
  /** Origin that received it. */
  readonly origin: 'registry' | 'elsewhere'
  /** HTTP method. */
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** All headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Number of bytes of its body received so far. */
  received: number
  /** Number of bytes of the answer's body sent so far. */
  sent: number
  /** Kind of the fault applied to it. */
  fault: RegistryFault['kind'] | undefined
}

interface Planned {
  readonly fault: RegistryFault
  readonly condition: FaultCondition
  skipped: number
  left: number
}

/** The faults that have not been applied yet. */
export class FaultPlan {
  readonly #planned: Planned[] = []

  add(fault: RegistryFault, condition: FaultCondition): void {
    this.#planned.push({ fault, condition, skipped: 0, left: condition.times ?? 1 })
  }

  clear(): void {
    this.#planned.length = 0
  }

  /** Returns the first planned fault that matches a request, and counts one application of it. */
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
