import { posix } from 'node:path'

/** Last segment of a path; `.` for an empty path, as in Go. */
export function baseName(path: string): string {
  return posix.basename(path) || (path === '' ? '.' : '/')
}
