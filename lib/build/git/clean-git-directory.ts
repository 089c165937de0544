import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withoutSecrets } from '../../internal/without-credentials.ts'

/** Objects of git. They have the content of the repository, and most of the bytes. */
const OBJECT = /^(?:[0-9a-f]{38}|[0-9a-f]{62}|pack-[0-9a-f]{40,64}\.\w+)$/

/**
 * Removes the secrets of addresses from a kept `.git`, as it becomes a part of the image.
 *
 * SAFETY: git writes the address of the repository to several files, and with it the password: for a submodule with a
 * relative address to the configuration of both. So every text file is looked through, not only the known ones.
 */
export async function cleanGitDirectory(directory: string): Promise<void> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of found) {
    if (!entry.isFile() || OBJECT.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    if (entry.name === 'FETCH_HEAD') await rm(path)
    else await cleanFile(path)
  }
}

async function cleanFile(path: string): Promise<void> {
  const bytes = await readFile(path)
  // An index has names, times and digests; a change of its bytes would break it.
  if (bytes.includes(0)) return
  // In this encoding each byte is a character, so that all others stay as they are.
  const text = bytes.toString('latin1')
  const clean = withoutSecrets(text, '')
  if (clean !== text) await writeFile(path, clean, 'latin1')
}
