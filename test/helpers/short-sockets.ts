import { needs } from './needs.ts'

/** True if paths below a directory can be those of sockets: they have at most 107 bytes (unix(7)). */
export function fitsSockets(directory: string): boolean {
  return needs(Buffer.byteLength(directory) < 90, 'paths of sockets have at most 107 bytes, and TMPDIR is longer')
}
