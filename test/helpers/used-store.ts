import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../lib/disk-store/index.ts'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { ageBlobs } from './age-blobs.ts'
import { readAll } from './read-all.ts'
import { putStoreImage } from './store-image.ts'
import { damageBlob } from './store-subjects.ts'

export const USED_LAYER = 'the layer of app:1'
/** Key of an ingest that was left unfinished. */
export const UNFINISHED_KEY = 'an unfinished ingest'
/** Last path below `.layerstore` that the sweep removes when a store is opened for writing. */
export const SWEPT_LAST = `indexes/x.12-${'ab'.repeat(6)}.tmp`
const TWO_DAYS_AGO = new Date(Date.now() - 2 * 86_400_000)
const DEAD = { pid: 2 ** 22 + 5, start: '1' }

/** Creates a store with every kind of file that a store can have. */
export async function makeUsedStore(directory: string): Promise<void> {
  const live = `${directory}-live`
  const at = (...parts: string[]) => join(live, '.layerstore', ...parts)
  const store = await openStore(live, { durability: 'batch', onCorrupt: 'quarantine' })
  await makeGarbage(store, live)
  const { layer, manifest } = await putStoreImage(store, USED_LAYER)
  await store.references.set('app:1', manifest)
  await store.derived.set('facts', `sources:${layer.digest}`, Buffer.from('[]'))
  await store.derived.set('indexes', layer.digest, Buffer.from('[]'))
  {
    await using writer = await store.ingest(UNFINISHED_KEY)
    await writer.write(Buffer.from('the first half'))
  }
  await store.leases.hold({ digests: [layer.digest] })
  const hex = layer.digest.slice(7)
  mkdirSync(at('cache/build'), { recursive: true })
  for (const record of ['one.json', 'build/two.json']) {
    writeFileSync(at('cache', record), JSON.stringify({ blobs: [layer.digest] }))
  }
  cpSync(join(live, 'blobs/sha256', hex), at('trash', `sha256-${hex}`))
  const dead = JSON.stringify({ ...(await createOwner()), ...DEAD })
  writeFileSync(at('locks/index'), dead)
  writeFileSync(at('locks/collect'), dead)
  leaveOld(at(`locks/index.12-${'ab'.repeat(8)}.tmp`), dead)
  leaveOld(at(SWEPT_LAST), 'left behind')
  mkdirSync(at('ingests/put-0011223344556677'))
  leaveOld(at('ingests/put-0011223344556677/owner.json'), dead)
  leaveOld(at('ingests/put-0011223344556677/1'), 'a put that was killed')
  mkdirSync(at('ingests', 'f'.repeat(64)))
  leaveOld(at('ingests', 'f'.repeat(64), 'data'), 'an ingest that was given up')
  // Copies the store while it is open: a machine that loses its power leaves the lease, the marker and the session.
  cpSync(live, directory, { recursive: true, preserveTimestamps: true })
  await store.close()
}

/** Makes a quarantine and a trash, and runs a collection. */
async function makeGarbage(store: Awaited<ReturnType<typeof openStore>>, directory: string): Promise<void> {
  const { manifest } = await putStoreImage(store, 'a first image')
  await store.references.set('first:1', manifest)
  const { digest } = await store.put(Buffer.from('will be damaged'))
  damageBlob(directory, digest, 'flip')
  await readAll(store.read(digest)).catch(() => undefined)
  await store.put(Buffer.from('garbage'))
  ageBlobs(directory, 2 * 3_600_000)
  await runCollection(store, await planCollection(store))
}

function leaveOld(path: string, text: string): void {
  writeFileSync(path, text)
  utimesSync(path, TWO_DAYS_AGO, TWO_DAYS_AGO)
}

/** Every path below a store, relative to it. */
export function pathsIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
}

/** Moves a path of a store to a path that must not exist. */
export function moveAway(directory: string, path: string, to: string): void {
  if (existsSync(to)) throw new Error(`${to} is there`)
  renameSync(join(directory, path), to)
}

/** Returns the descriptor of a name in `index.json`. */
export function descriptorIn(directory: string, name: string): { mediaType: string; digest: string; size: number } {
  const { manifests } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'))
  return manifests.find((entry: { annotations: object }) => Object.values(entry.annotations).includes(name))
}
