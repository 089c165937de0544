import { readdir } from 'node:fs/promises'
import { isDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { readRecord } from '../../internal/record-file.ts'
import type { ContainerRoot } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import type { Places } from '../places/places.ts'

const CONTAINERS = '.layerstore/containers'
/** SAFETY: limits the bytes read into memory; another program may write a larger file. */
const BOUNDS = { limit: 4 * 1024 * 1024, begins: /^\s*\{/ }
const DIGESTS = /\b[a-z0-9]+:[0-9a-f]{64,128}\b/g

/**
 * Reads which image each container keeps: the member `image.digest` of `.layerstore/containers/<id>/container.json`.
 *
 * SAFETY: a damaged record that kept nothing would let a collection remove the layers of a container. So all digests
 * that are still readable in it are kept.
 */
export async function readContainerRoots({ places }: DiskContext): Promise<ContainerRoot[]> {
  return onDisk({ act: 'read', path: CONTAINERS }, async () => {
    const roots: ContainerRoot[] = []
    for (const id of await containerIds(places)) {
      const found = await readRecord(places.file(`${CONTAINERS}/${id}/container.json`), BOUNDS)
      if (found.kind === 'file') roots.push(...digestsOf(found.bytes).map(digest => ({ id, digest })))
    }
    return roots
  })
}

async function containerIds(places: Places): Promise<string[]> {
  try {
    const entries = await readdir(places.containers, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function digestsOf(bytes: Buffer) {
  const text = bytes.toString('utf8')
  try {
    const { image } = JSON.parse(text) as { image?: { digest?: unknown } }
    if (isDigest(image?.digest)) return [image.digest]
  } catch {
    // Damaged: the digests that can be read follow.
  }
  return [...new Set(text.match(DIGESTS))].filter(isDigest)
}
