import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { CheckDriver, CheckFault, FoundFile, FoundNames, MendedFile, NamedEntry } from '../../store/index.ts'
import { faultOf } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { checkLayoutFile, LAYOUT_FILE, readIndexBytes } from '../layout.ts'
import { leaseNames, proveLease } from '../leases/lease-file.ts'
import { type IndexFile, parseIndexFile } from '../references/index-file.ts'
import { findFiles } from './find-files.ts'
import { findOdd, RECORD_DIRECTORIES } from './find-odd.ts'
import { mendIndex } from './mend-index.ts'
import { quarantineBlob, quarantinePath } from './quarantine.ts'
import { namedEntryOf, salvageEntries } from './salvage-index.ts'

/** Check driver of a store in a directory. */
export class DiskCheck implements CheckDriver {
  readonly #context: DiskContext

  constructor(context: DiskContext) {
    this.#context = context
  }

  get readOnly(): boolean {
    return this.#context.settings.readOnly
  }

  files(options: AbortOptions = {}): AsyncIterable<FoundFile> {
    this.#context.assertOpen()
    return findFiles(this.#context, options)
  }

  async names(options: AbortOptions = {}): Promise<FoundNames> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    let bytes: Uint8Array = new Uint8Array()
    try {
      bytes = await readIndexBytes(this.#context.places)
      return entriesIn(parseIndexFile(bytes))
    } catch (error) {
      // The salvaged entries are followed, so that the check covers their blobs.
      const entries = salvageEntries(bytes).map(({ named }) => named)
      return { entries, faults: [faultOf(error, { path: 'index.json' })] }
    }
  }

  async faults(options: AbortOptions = {}): Promise<readonly CheckFault[]> {
    const faults: CheckFault[] = []
    const note = async (path: string, act: () => Promise<unknown>) => {
      options.signal?.throwIfAborted()
      try {
        await act()
      } catch (error) {
        faults.push(faultOf(error, { path }))
      }
    }
    await note('oci-layout', () => checkLayoutFile(this.#context.places))
    await note('.layerstore/leases', async () => {
      const names = await onDisk({ act: 'list', path: '.layerstore/leases' }, () => leaseNames(this.#context))
      for (const name of names) {
        await note(`.layerstore/leases/${name}`, () => proveLease(this.#context, name))
      }
    })
    for (const directory of RECORD_DIRECTORIES) {
      const known = new Set(faults.map(({ path }) => path))
      if (known.has(directory)) continue
      await note(directory, async () => {
        for (const { path, actual } of await findOdd(this.#context, directory)) {
          if (known.has(path)) continue
          await note(path, () => Promise.reject(new StoreError('ERR_STORE_FORMAT', `${path} is ${actual}`)))
        }
      })
    }
    return faults
  }

  quarantine(digest: Digest): Promise<string | undefined> {
    return quarantineBlob(this.#context, digest)
  }

  async mend(path: string, roots: () => Promise<readonly Descriptor[]>): Promise<MendedFile | undefined> {
    if (path === 'index.json') return mendIndex(this.#context, roots)
    if (path === 'oci-layout') return this.#mendLayout()
    const lease = /^\.layerstore\/leases\/([^/]+\.json)$/.exec(path)?.[1]
    const isDamaged = lease !== undefined && (await isBroken(() => proveLease(this.#context, lease)))
    return isDamaged || (await this.#isOdd(path)) ? this.#takeAway(path) : undefined
  }

  async #mendLayout(): Promise<MendedFile | undefined> {
    if (!(await isBroken(() => checkLayoutFile(this.#context.places)))) return undefined
    const { places, settings } = this.#context
    const quarantinedTo = await quarantinePath(this.#context, 'oci-layout', 'oci-layout')
    await onDisk({ act: 'write', path: 'oci-layout', writes: true }, () =>
      writeFileAtomic(places.layout, LAYOUT_FILE, { durable: settings.durable }),
    )
    return mended('oci-layout', 'written anew', quarantinedTo)
  }

  /**
   * SAFETY: a stored report may have been changed, or the file repaired since; only an entry that is odd now is moved.
   */
  async #isOdd(path: string): Promise<boolean> {
    const directory = path.split('/', 2).join('/')
    if (!RECORD_DIRECTORIES.includes(directory)) return false
    return (await findOdd(this.#context, directory)).some(odd => odd.path === path)
  }

  /** Moves a damaged lease away. The process that holds it notices the missing file and writes it again. */
  async #takeAway(path: string): Promise<MendedFile | undefined> {
    const [directory, name] = path.split('/').slice(-2)
    const quarantinedTo = await quarantinePath(this.#context, path, `${directory}-${name}`)
    return quarantinedTo === undefined ? undefined : mended(path, 'moved to quarantine', quarantinedTo)
  }
}

function entriesIn({ entries }: IndexFile): FoundNames {
  const found: NamedEntry[] = []
  const faults: CheckFault[] = []
  for (const [i, raw] of entries.entries()) {
    try {
      found.push(namedEntryOf(raw))
    } catch (error) {
      faults.push(faultOf(error, { path: 'index.json', reason: `manifests[${i}]` }))
    }
  }
  return { entries: found, faults }
}

function mended(path: string, outcome: string, quarantinedTo: string | undefined): MendedFile {
  return { path, outcome, ...(quarantinedTo === undefined ? {} : { quarantinedTo }) }
}

/** SAFETY: a read that fails for the moment (EIO, EACCES) is no damage; only invalid content may be replaced. */
async function isBroken(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read()
    return false
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ERR_STORE_FORMAT') return true
    throw error
  }
}
