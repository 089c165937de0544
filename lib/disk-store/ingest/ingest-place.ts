import { join } from 'node:path'
import { removeEmpty, removeFile } from '../link-once.ts'
import type { Lock } from '../locks/lock.ts'
import type { Places } from '../places/places.ts'

/** Where one ingest lives on disk, and how to leave it. */
export interface IngestPlace {
  /** The file that takes the bytes. */
  readonly data: string
  /** The file that says how far they have come; absent if nobody will go on from there. */
  readonly state: string | undefined
  /** Names the place in errors, relative to the store. */
  readonly name: string
  /** Rejects if others have taken the place over. */
  assertHeld(): Promise<void>
  /** Gives up the place, and leaves what is in it. */
  release(): Promise<void>
  /** Empties the place and gives it up. */
  remove(): Promise<void>
}

/** The place of a keyed ingest: a directory of its own, owned through `owner.json`. */
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
        // SAFETY: whoever took the place over is writing there now.
        if (!(await lock.isHeld())) return
        // The state first: without it nobody takes up what is left of the data.
        await removeFile(state())
        await removeFile(data())
      } finally {
        await lock.release()
      }
      await removeEmpty(places.directory(name))
    },
  }
}
