import { join } from 'node:path'
import { removeEmpty, removeFile } from '../../internal/link-once.ts'
import type { Lock } from '../../internal/locks/lock.ts'
import type { Places } from '../places/places.ts'

/** Directory of one ingest on disk. */
export interface IngestPlace {
  /** The data file. */
  readonly data: string
  /** The state file, which records the progress; absent if the ingest cannot be resumed. */
  readonly state: string | undefined
  /** Path for error messages, relative to the store. */
  readonly name: string
  /** Rejects if another process has taken over the directory. */
  assertHeld(): Promise<void>
  /** Releases the directory and keeps its content. */
  release(): Promise<void>
  /** Removes the content and releases the directory. */
  remove(): Promise<void>
}

/** The place of a keyed ingest: a directory of its own, with the lock `owner.json`. */
export function keyedPlace(places: Places, name: string, lock: Lock): IngestPlace {
  const data = () => join(places.directory(name), 'data')
  const state = () => join(places.directory(name), 'state.json')
  return {
    get data() {
      return data()
    },
    get state() {
      return state()
    },
    name,
    assertHeld: () => lock.assertHeld(),
    release: () => lock.release(),
    remove: async () => {
      try {
        // SAFETY: another process may have taken over the directory and be writing there; its files must stay.
        if (!(await lock.isHeld())) return
        // The state first: without a state no writer resumes the remaining data.
        await removeFile(state())
        await removeFile(data())
      } finally {
        await lock.release()
      }
      await removeEmpty(places.directory(name))
    },
  }
}
