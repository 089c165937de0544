import { accessSync, constants, readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { FULL } from './sweep.ts'

const MEMORY = '/dev/shm'
/** What the tests may need there, and no container has by default. */
const ROOM = 2 * 1024 ** 3

/** Where the directories of a run are made: one for everything, and one for what need not be on a disk. */
export function placesForTests(): { disk: string; memory: string } {
  const memory = isInMemory() ? MEMORY : tmpdir()
  // PERF: making and removing directories costs ext4 ten times the processor time. Where the sweeps are full, or the
  // directory was chosen, the disk takes part in the tests.
  return { disk: FULL || process.env.TMPDIR ? tmpdir() : memory, memory }
}

/** Whether there is a file system in memory, with room, from which programs can be started. */
function isInMemory(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    const mount = readFileSync('/proc/self/mounts', 'utf8').match(/^\S+ \/dev\/shm (\S+) (\S+)/m)
    return bavail * bsize > ROOM && mount?.[1] === 'tmpfs' && !/\bnoexec\b/.test(mount[2]!)
  } catch {
    return false
  }
}
