import { StoreError } from '../errors/index.ts'
import type { Store } from '../store/index.ts'
import { assertOneFileSystem } from './assert-one-file-system.ts'
import { DirectorySync } from './directory-sync.ts'
import { DiskContext, type DiskSettings } from './disk-context.ts'
import { DiskStore } from './disk-store.ts'
import { checkLayout, createLayout, recognise } from './layout.ts'
import { Places } from './places/places.ts'

/** Opens the store in a directory, with settings that were checked; creates it if it may. */
export async function openPath(
  path: string,
  settings: DiskSettings,
  options: { readonly create?: boolean | undefined; readonly damaged?: 'refuse' | 'open' | undefined },
): Promise<Store> {
  const places = new Places(path)
  places.proveAll()
  const found = await recognise(places)
  if (found === 'other') {
    throw new StoreError('ERR_STORE_FORMAT', `${path} is not an image layout: it has no oci-layout file`)
  }
  if (found === 'nothing') {
    const create = (options.create ?? true) && !settings.readOnly
    if (!create)
      throw new StoreError('ERR_STORE_NOT_FOUND', `there is no store in ${path}: check the path, or create it`)
    await createLayout(places, settings.durable, new DirectorySync(settings.durable))
  }
  const damaged = options.damaged === 'open'
  await checkLayout(places, { damaged })
  if (!settings.readOnly) await assertOneFileSystem(places)
  const store = new DiskStore(new DiskContext(places, settings))
  await store.start({ damaged })
  return store
}
