import { lstat, writeFile } from 'node:fs/promises'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { OutputError } from '../failing/output-error.ts'

/**
 * Writes a document to the file that an option names. A file is replaced as a whole, so that a full disk leaves what
 * was there. A pipe, a device such as `/dev/stdout`, what a link leads to, and a file in a directory that this user may
 * not change are written in place.
 *
 * @throws {@link OutputError} if the file cannot be written.
 */
export async function writeResult(option: string, path: string, text: string): Promise<void> {
  try {
    await replaceOrWrite(path, text)
  } catch (cause) {
    throw new OutputError(cause as Error, `${option} ${JSON.stringify(path)}`)
  }
}

async function replaceOrWrite(path: string, text: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isFile()) return writeFile(path, text)
  const mode = (there?.mode ?? 0o666) & 0o777
  try {
    await writeFileAtomic(path, Buffer.from(text), { durable: false, mode })
  } catch (error) {
    if (!there || !isErrno(error, 'EACCES', 'EPERM')) throw error
    await writeFile(path, text)
  }
}
