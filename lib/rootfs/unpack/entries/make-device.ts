import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import type { TarEntryType } from '../../../tar/index.ts'

/** Kinds of entries that Node cannot create itself. */
export type DeviceType = Extract<TarEntryType, 'character-device' | 'block-device' | 'fifo'>

/** SAFETY: a program found through `PATH` could come from an image. Only these absolute paths are used. */
const PROGRAMS = ['/usr/bin/mknod', '/bin/mknod', '/sbin/mknod', '/usr/sbin/mknod']
const LETTER = { 'character-device': 'c', 'block-device': 'b', fifo: 'p' } as const

/** Largest device numbers that Linux can store. */
const MOST_MAJOR = 0xfff
const MOST_MINOR = 0xfffff

/** Returns the fault in the numbers of a device, or `undefined`. */
export function badDevice(type: DeviceType, major: number, minor: number): string | undefined {
  if (type === 'fifo') return undefined
  const fits = (n: number, most: number) => Number.isSafeInteger(n) && n >= 0 && n <= most
  if (!fits(major, MOST_MAJOR) || !fits(minor, MOST_MINOR)) return `no device has the numbers ${major}:${minor}`
  // SAFETY: overlayfs uses the device 0:0 as a whiteout; created for an image, it would hide a file of another layer.
  if (type === 'character-device' && major === 0 && minor === 0) return 'overlayfs would take it for a deletion'
  return undefined
}

/**
 * Creates a device or FIFO with mode 0600, by the system's `mknod` program.
 *
 * @param directory - Path of the directory; it must stay valid during the call.
 * @param target - Path to create; it must not exist.
 * @returns the reason if the device could not be created, else `undefined`.
 */
export function makeDevice(
  directory: string,
  target: string | Buffer,
  device: { type: DeviceType; major: number; minor: number },
  programs: readonly string[] = PROGRAMS,
): string | undefined {
  const program = programs.find(path => existsSync(path))
  if (!program) return 'there is no mknod program'
  // The child gets the directory as file descriptor 3 and a plain text name, because names of entries may be any bytes.
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  const name = `.layerstore-${process.pid}-device`
  try {
    const place = directory.startsWith('/proc/') ? '/proc/self/fd/3' : directory
    const numbers = device.type === 'fifo' ? [] : [String(device.major), String(device.minor)]
    const { status, stderr, error } = spawnSync(
      program,
      ['-m', '600', `${place}/${name}`, LETTER[device.type], ...numbers],
      { stdio: ['ignore', 'ignore', 'pipe', fd], env: { LC_ALL: 'C' }, timeout: 10_000 },
    )
    if (status !== 0) {
      rmSync(`${directory}/${name}`, { force: true })
      return (error?.message ?? stderr?.toString('utf8').trim().split(': ').at(-1)) || 'mknod failed'
    }
    renameSync(`${directory}/${name}`, target)
    return undefined
  } finally {
    closeSync(fd)
  }
}
