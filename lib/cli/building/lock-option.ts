import { readFile } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import type { BuildLockOptions, ImageLock } from '../../build/index.ts'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { notEmpty } from '../arguments/not-empty.ts'
import { fileFault } from '../failing/file-fault.ts'
import { OutputError } from '../failing/output-error.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { BuildCommandOptions } from './build-options.ts'

/** Options of a build with `--lock FILE`: the lock of the file, if there is one, is used, and the new one written. */
export async function lockOf(
  { lock: file, lockFrozen: frozen = false, target }: Pick<BuildCommandOptions, 'lock' | 'lockFrozen' | 'target'>,
  { buildArgs, context }: { readonly buildArgs: Readonly<Record<string, string>>; readonly context: string },
): Promise<{ lock?: BuildLockOptions }> {
  if (file === undefined) {
    if (frozen) throw new UsageError('--lock-frozen needs --lock FILE')
    return {}
  }
  notEmpty(file, 'the file of --lock')
  const locked = await readLockFile(file, frozen)
  const onLock = (lock: ImageLock) => writeLockFile(file, lock)
  return {
    lock: { locked, frozen, buildArgs, target, omit: pathInContext(context, file), ...(frozen ? {} : { onLock }) },
  }
}

/** Path of the lock file in a context, which the digest of the context leaves out. */
export function pathInContext(context: string, file: string): string {
  return relative(resolve(context), resolve(file)).split(sep).join('/')
}

/** Reads a lock file; one that is absent is an error only if it is needed. */
export async function readLockFile(file: string, isNeeded: boolean): Promise<ImageLock | undefined> {
  const bytes = await readFile(file).catch(cause => {
    if (!isNeeded && isErrno(cause, 'ENOENT')) return undefined
    throw fileFault('--lock', file, cause)
  })
  const { parseImageLock } = await import('../../build/index.ts')
  return bytes && parseImageLock(bytes)
}

/**
 * Replaces a lock file as a whole.
 *
 * @throws {@link OutputError}
 */
export async function writeLockFile(file: string, lock: ImageLock): Promise<void> {
  const { formatImageLock } = await import('../../build/index.ts')
  try {
    await writeFileAtomic(file, Buffer.from(formatImageLock(lock)))
  } catch (cause) {
    throw new OutputError(cause as Error, `--lock ${JSON.stringify(file)}`)
  }
}
