import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StoreError } from '../../errors/index.ts'

/** Creates a directory beside a file that will be written, on the same disk. Disposing it removes the directory. */
export async function scratchDirectory(file: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const beside = dirname(file)
  try {
    const path = await mkdtemp(join(beside, '.layerstore-'))
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new StoreError('ERR_STORE_IO', `cannot write in ${beside} (${code})`, { errno: code, cause })
  }
}
