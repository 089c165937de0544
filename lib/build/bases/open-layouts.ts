import { ReferenceNotFoundError } from '../../errors/index.ts'
import { findDescriptor } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { ImportedCache } from '../cache/imported-cache.ts'
import type { VerifyBase } from '../verify-base.ts'
import { assertLocked, type FixedBase } from './fixed-base.ts'
import { readStoredImage } from './resolve-base.ts'
import type { ResolvedBase } from './resolved-base.ts'

/** An image in an OCI image layout on this disk. */
export interface LayoutImage {
  /** Path of the layout. */
  readonly directory: string
  /** Name in the layout, or digest. @defaultValue `latest`, else the only name of the layout */
  readonly name?: string | undefined
}

/** Options for reading an image of a layout. */
interface ReadLayoutOptions extends AbortOptions {
  /** The image in a lock. */
  readonly locked?: FixedBase | undefined
  readonly verify?: VerifyBase | undefined
}

/** Image layouts that bases come from. They are opened when a base is asked for. */
export class OpenLayouts {
  readonly #images: Readonly<Record<string, LayoutImage>>
  readonly #stores = new Map<string, Promise<Store>>()

  /** @param images - By the references that stages use. */
  constructor(images: Readonly<Record<string, LayoutImage>>) {
    this.#images = images
  }

  has(reference: string): boolean {
    return Object.hasOwn(this.#images, reference)
  }

  /**
   * Reads an image, and gives access to its layers. With `locked` it is the image of that digest, whatever has the name
   * now; if it is verified, it is read through the index of the lock, whose signature counts then.
   *
   * @throws {@link StoreError} if the directory is no layout; {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`;
   * {@link PlatformNotFoundError}; {@link BuildError} `ERR_BUILD_LOCK` if the index of the lock lists another image.
   */
  async read(
    reference: string,
    platform: string,
    { locked, verify, signal }: ReadLayoutOptions,
  ): Promise<{ image: ResolvedBase; blobs: Pick<ImportedCache, 'read'> }> {
    const { directory, name } = this.#images[reference]!
    const layout = await this.#open(directory)
    const named = name ?? (await defaultName(layout, reference))
    const fixed = verify && locked?.index ? locked.index : locked?.digest
    const top = await findDescriptor(layout, fixed ?? named, { signal })
    const image = await readStoredImage(layout, top.digest, platform, { signal })
    if (locked) assertLocked(locked, image.descriptor.digest, top.digest)
    const index = locked ? locked.index : top.digest === image.descriptor.digest ? undefined : top.digest
    if (verify) {
      const { imageToVerify, storeSourceEndpoint } = await import('../../transfer/index.ts')
      const source = storeSourceEndpoint(layout, named, `oci:${directory}:${named}`, { verbatim: true })
      await verify(imageToVerify(source, image.descriptor, { index: top.digest, signal }))
    }
    return {
      image: { ...image, reference, isLocal: true, index },
      blobs: { read: (layer, options) => this.#read(directory, layer, options) },
    }
  }

  async *#read(directory: string, { digest }: Descriptor, options?: AbortOptions) {
    // The layout may have been closed since.
    yield* (await this.#open(directory)).read(digest, { ...options, verify: 'never' })
  }

  async close(): Promise<void> {
    const opened = [...this.#stores.values()]
    this.#stores.clear()
    for (const store of opened) await (await store).close()
  }

  #open(directory: string): Promise<Store> {
    const known = this.#stores.get(directory)
    if (known) return known
    const opening = import('../../disk-store/index.ts').then(({ openStore }) =>
      openStore(directory, { readOnly: true }),
    )
    this.#stores.set(directory, opening)
    opening.catch(() => this.#stores.delete(directory))
    return opening
  }
}

async function defaultName(layout: Store, reference: string): Promise<string> {
  const names: string[] = []
  for await (const { name } of layout.references.list()) names.push(name)
  if (names.includes('latest') || names.length > 1) return 'latest'
  if (names.length === 0) throw new ReferenceNotFoundError(reference)
  return names[0]!
}
