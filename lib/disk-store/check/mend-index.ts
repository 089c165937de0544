import { StoreError } from '../../errors/index.ts'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { createOnce } from '../../internal/link-once.ts'
import { withLock } from '../../internal/locks/lock.ts'
import { Annotation, type Descriptor } from '../../oci/index.ts'
import type { MendedFile } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { readIndexBytes } from '../layout.ts'
import { parseIndexFile } from '../references/index-file.ts'
import { quarantineName, quarantinePath } from './quarantine.ts'
import { namedEntryOf, salvageEntries } from './salvage-index.ts'

/**
 * Makes a damaged `index.json` usable: keeps a copy of it and retains the valid entries. If the whole document was
 * invalid, images that none of these entries refers to get names of the form `recovered:<digest>`, so that no
 * collection removes them. Resolves to `undefined` if the index is valid by now.
 */
export async function mendIndex(
  context: DiskContext,
  roots: () => Promise<readonly Descriptor[]>,
): Promise<MendedFile | undefined> {
  await context.prepareWrite()
  // Found before the lock is taken: the search may take minutes, and names cannot be set meanwhile anyway.
  const lost = isBroken(await bytesOfIndex(context)) ? await roots() : []
  return onDisk({ act: 'mend', path: 'index.json', writes: true }, () =>
    withLock(
      () => context.places.indexLock,
      async lock => {
        const bytes = await bytesOfIndex(context)
        const kept = keptEntries(bytes)
        if (!kept) return undefined
        const named = new Set(kept.entries.map(raw => namedEntryOf(raw).descriptor.digest))
        const recovered = kept.broken ? lost.filter(({ digest }) => !named.has(digest)).map(recoveredEntry) : []
        const quarantinedTo = await keepCopy(context, bytes)
        await lock.assertHeld()
        const document = { ...kept.document, manifests: [...kept.entries, ...recovered] }
        await writeFileAtomic(context.places.index, Buffer.from(JSON.stringify(document)), {
          durable: context.settings.durable,
        })
        const outcome = `written anew with ${kept.entries.length} entries that were kept and ${recovered.length} recovered`
        return { path: 'index.json', outcome, ...(quarantinedTo === undefined ? {} : { quarantinedTo }) }
      },
      context.waiting('.layerstore/locks/index', {}),
    ),
  )
}

interface KeptEntries {
  readonly broken: boolean
  readonly document: object
  readonly entries: readonly object[]
}

/** The entries to retain, or `undefined` if the whole index is valid. */
function keptEntries(bytes: Uint8Array | undefined): KeptEntries | undefined {
  if (bytes === undefined || isBroken(bytes)) {
    const entries = salvageEntries(bytes ?? new Uint8Array()).map(({ raw }) => raw)
    return { broken: true, document: { schemaVersion: 2 }, entries }
  }
  const { document, entries } = parseIndexFile(bytes)
  const sound = entries.filter(isEntry)
  return sound.length === entries.length ? undefined : { broken: false, document, entries: sound }
}

function isEntry(raw: unknown): boolean {
  try {
    namedEntryOf(raw)
    return true
  } catch {
    return false
  }
}

function isBroken(bytes: Uint8Array | undefined): boolean {
  try {
    if (bytes) parseIndexFile(bytes)
    return bytes === undefined
  } catch {
    return true
  }
}

/** Resolves to the bytes, or to `undefined` if there is no such file. */
async function bytesOfIndex({ places }: DiskContext): Promise<Uint8Array | undefined> {
  try {
    return await readIndexBytes(places)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ERR_STORE_FORMAT') return undefined
    throw error
  }
}

/** Copies the old index to quarantine; the original stays in place until the new index replaces it. */
async function keepCopy(context: DiskContext, bytes: Uint8Array | undefined): Promise<string | undefined> {
  // An entry that is not a file cannot be replaced by a rename, so it is moved.
  if (bytes === undefined) return quarantinePath(context, 'index.json', 'index.json')
  const name = await quarantineName(context, 'index.json')
  await createOnce(context.places.file(name), bytes, false)
  return name
}

function recoveredEntry({ digest, mediaType, size }: Descriptor): object {
  const name = `recovered:${digest.replace(':', '-')}`
  return { mediaType, digest, size, annotations: { [Annotation.RefName]: name } }
}
