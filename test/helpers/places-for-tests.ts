import { accessSync, constants, readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { FULL } from './sweep.ts'

const MEMORY = '/dev/shm'
/** Free space that the tests may need; a container has less by default. */
const ROOM = 2 * 1024 ** 3

/** Directories for the files of a run: one on a disk, and one in memory for files that need no disk. */
export function placesForTests(): { disk: string; memory: string } {
  const memory = isInMemory() ? MEMORY : tmpdir()
  // PERF: creating and removing directories costs ten times the processor time on ext4. The disk takes part if sweeps
  // run in full or `TMPDIR` is set.
  return { disk: FULL || process.env.TMPDIR ? tmpdir() : memory, memory }
}

/** True if a memory file system exists that has enough space and may run programs. */
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
