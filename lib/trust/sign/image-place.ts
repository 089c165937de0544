import { FormatError } from '../../errors/index.ts'
import { formatReference, parseReference, type Repository } from '../../oci/index.ts'
import {
  type ReadableStore,
  type RegistryLocation,
  registrySourceEndpoint,
  type StoreLocation,
  storeSourceEndpoint,
  type TransferSource,
} from '../../transfer/index.ts'

/** An image whose signatures are read: in a registry, in a store, layout or archive, or at another source. */
export type SignedPlace = RegistryLocation | StoreLocation<ReadableStore> | TransferSource

/** Opens the place of an image. */
export function openPlace(place: SignedPlace): TransferSource {
  if ('registry' in place) return registrySourceEndpoint(place.registry, place.reference)
  if (!('store' in place)) return place
  if (place.name === undefined)
    throw new FormatError('ERR_INVALID_ARGUMENT', 'the name of the image in the store is missing')
  return storeSourceEndpoint(place.store, place.name, place.label, place)
}

/** The repository of a source, if its name or its place tells it. A name of a layout may be a tag alone. */
export function repositoryOf({
  repository,
  name,
}: Pick<TransferSource, 'repository' | 'name'>): Repository | undefined {
  if (repository) return repository
  return name === undefined || !/[:/]/.test(name) ? undefined : parseRepository(name)
}

/** The repository of a reference; `undefined` if the text is none. */
export function parseRepository(name: string): Repository | undefined {
  try {
    const { registry, repository } = parseReference(name)
    return { registry, repository }
  } catch {
    return undefined
  }
}

/** Writes a repository as signatures name it. */
export function formatRepository({ registry, repository }: Repository): string {
  return formatReference({ registry, repository })
}
