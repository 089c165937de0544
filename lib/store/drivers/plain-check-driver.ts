import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../store.ts'
import type { CheckDriver, FoundFile, FoundNames, NamedEntry } from './check-driver.ts'
import { driverOf } from './store-driver.ts'

/** A check driver built from the members that every store has. It has no quarantine. */
export function checkDriverOf(store: Store): CheckDriver {
  return driverOf(store).checking ?? new PlainCheckDriver(store)
}

class PlainCheckDriver implements CheckDriver {
  readonly readOnly = false
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async *files(options: AbortOptions = {}): AsyncGenerator<FoundFile, void, undefined> {
    for await (const { digest, size } of this.#store.list(options)) {
      yield { kind: 'blob', digest, size, path: digest }
    }
  }

  async names(options: AbortOptions = {}): Promise<FoundNames> {
    const entries: NamedEntry[] = []
    for await (const entry of this.#store.references.list(options)) entries.push(entry)
    return { entries, faults: [] }
  }

  faults(): Promise<readonly []> {
    return Promise.resolve([])
  }

  quarantine(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  mend(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}
