import { lstat, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Digest, splitDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory, exists, linkOnce, removeFile } from '../../internal/link-once.ts'
import { unusedQuarantineName } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'

/** Identity and times of a file: distinguishes it from every other file, and from itself after a change. */
export interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
}

/**
 * Moves the file under a blob's name to quarantine, as `<algorithm>-<hex>-<time>`. Resolves to its new path, relative
 * to the store; to `undefined` if there is none, or if the file is not `which`.
 */
export async function quarantineBlob(
  context: DiskContext,
  digest: Digest,
  which?: FileIdentity,
): Promise<string | undefined> {
  const { algorithm, hex } = splitDigest(digest)
  return quarantinePath(context, blobName(digest), `${algorithm}-${hex}`, which)
}

/** Moves a file of the store to quarantine. */
export async function quarantinePath(
  context: DiskContext,
  name: string,
  as: string,
  which?: FileIdentity,
): Promise<string | undefined> {
  await context.prepareWrite()
  return onDisk({ act: 'quarantine', path: name, writes: true }, async () => {
    const kept = await quarantineName(context, as)
    const [from, to] = [context.places.file(name), context.places.file(kept)]
    try {
      await rename(from, to)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
    // SAFETY: between the check and the move another process may have published an intact file, which would be lost
    // from its place; such a file is moved back.
    if (which && !(await isThat(to, which))) {
      if ((await linkOnce(to, from)) === 'unsupported') await rename(to, from)
      else await removeFile(to)
      return undefined
    }
    await context.syncs.sync(dirname(to))
    await context.syncs.sync(dirname(from))
    return kept
  })
}

/** Chooses an unused name in quarantine. */
export async function quarantineName({ places }: DiskContext, as: string): Promise<string> {
  await ensureDirectory(places.quarantine, 0o700)
  const pathOf = (name: string) => `.layerstore/quarantine/${name}`
  return pathOf(await unusedQuarantineName(as, Date.now(), name => exists(places.file(pathOf(name)))))
}

async function isThat(path: string, { dev, ino }: FileIdentity): Promise<boolean> {
  const stats = await lstat(path, { bigint: true })
  return stats.dev === dev && stats.ino === ino
}
