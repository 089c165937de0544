import { chmodSync, constants, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** True if any user may enter every directory above the file and execute the file. */
function anyoneMayExecute(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/**
 * The running Node at a path where another user may start it. If it is installed in root's home, for instance, it is
 * copied until `dispose`.
 */
export function nodeForAnyone(): { path: string } & Disposable {
  if (anyoneMayExecute(process.execPath)) return { path: process.execPath, [Symbol.dispose]() {} }
  const directory = mkdtempSync(join(tmpdir(), 'layerstore-node-'))
  chmodSync(directory, 0o755)
  const path = join(directory, 'node')
  copyFileSync(process.execPath, path, constants.COPYFILE_FICLONE)
  chmodSync(path, 0o755)
  return { path, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}
