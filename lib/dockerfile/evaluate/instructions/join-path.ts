import { posix } from 'node:path'

/** Joins a path to a working directory and cleans it; an empty path is the directory itself. */
export function joinPath(workdir: string, path: string): string {
  const joined = posix.join('/', path.startsWith('/') ? path : posix.join(workdir, path))
  return joined === '/' ? joined : joined.replace(/\/$/, '')
}

/** Working directory after WORKDIR. SPEC: an absolute path stays as written, only a relative one is cleaned. */
export function joinWorkdir(workdir: string, path: string): string {
  return path.startsWith('/') ? path : joinPath(workdir, path)
}

/** The same for a destination. A trailing slash or `/.`, `.` and an empty text make it a directory. */
export function joinDestination(workdir: string, path: string): string {
  const resolved = joinPath(workdir, path)
  const isDirectory = path === '' || path === '.' || path.endsWith('/') || path.endsWith('/.')
  return isDirectory && resolved !== '/' ? `${resolved}/` : resolved
}
