import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import type { TarEntryType } from '../../../tar/index.ts'

/** A kind of entry that Node cannot make by itself. */
export type DeviceType = Extract<TarEntryType, 'character-device' | 'block-device' | 'fifo'>

/** SAFETY: only these places of this machine; never a program found by name, which might come from an image. */
const PROGRAMS = ['/usr/bin/mknod', '/bin/mknod', '/sbin/mknod', '/usr/sbin/mknod']
const LETTER = { 'character-device': 'c', 'block-device': 'b', fifo: 'p' } as const

/** Numbers that Linux can keep. */
const MOST_MAJOR = 0xfff
const MOST_MINOR = 0xfffff

/** What is wrong with the numbers of a device, or `undefined`. */
export function badDevice(type: DeviceType, major: number, minor: number): string | undefined {
  if (type === 'fifo') return undefined
  const fits = (n: number, most: number) => Number.isSafeInteger(n) && n >= 0 && n <= most
  if (!fits(major, MOST_MAJOR) || !fits(minor, MOST_MINOR)) return `no device has the numbers ${major}:${minor}`
  // SAFETY: 0:0 is how overlayfs writes a deletion; made on behalf of an image it would hide files of another one.
  if (type === 'character-device' && major === 0 && minor === 0) return 'overlayfs would take it for a deletion'
  return undefined
}

/**
 * Makes a device or FIFO, readable and writable for its owner only, with the system's `mknod` program.
 *
 * @param directory - Path of the directory, as long as this call runs.
 * @param target - Path of the thing to make in it; nothing is there.
 * @returns why it could not be made, or `undefined`.
 */
export function makeDevice(
  directory: string,
  target: string | Buffer,
  device: { type: DeviceType; major: number; minor: number },
  programs: readonly string[] = PROGRAMS,
): string | undefined {
  const program = programs.find(path => existsSync(path))
  if (!program) return 'there is no mknod program'
  // The child gets the directory as its handle 3, and a name that is text: names of entries may be any bytes.
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
