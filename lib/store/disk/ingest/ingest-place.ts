import { rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno } from '../../../internal/errno.ts'
import { removeFile } from '../link-once.ts'
import type { Lock } from '../lock.ts'

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
export function keyedPlace(directory: string, name: string, lock: Lock): IngestPlace {
  const data = join(directory, 'data')
  const state = join(directory, 'state.json')
  return {
    data,
    state,
    name,
    assertHeld: () => lock.assertHeld(),
    release: () => lock.release(),
    remove: async () => {
      try {
        // SAFETY: whoever took the place over is writing there now.
        if (!(await lock.isHeld())) return
        // The state first: without it nobody takes up what is left of the data.
        await removeFile(state)
        await removeFile(data)
      } finally {
        await lock.release()
      }
      await removeEmpty(dirname(data))
    },
  }
}

/** Removes a directory unless somebody uses it again. */
export async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}
