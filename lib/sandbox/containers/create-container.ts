import { randomBytes } from 'node:crypto'
import { type ReadImageOptions, readImage } from '../../image/index.ts'
import type { Lock } from '../../internal/locks/lock.ts'
import type { Store } from '../../store/index.ts'
import { Container } from './container.ts'
import { ContainerHome, type ContainerPlace } from './home/container-home.ts'
import { assertContainerId, type ContainerRecord } from './home/container-record.ts'
import { composeContainerConfig, composeProcess } from './process/compose-process.ts'
import type { ContainerSettings } from './process/container-settings.ts'

/** Options of {@link createContainer}. */
export interface CreateContainerOptions extends ContainerSettings, ContainerPlace, ReadImageOptions {
  /** Identifier of the container: letters, digits, `_`, `.` and `-`. @defaultValue 12 random hexadecimal digits */
  readonly id?: string | undefined
}

/**
 * Creates a container: an image, and a layer of its own to write to. It stays until {@link removeContainer}, also when
 * the machine starts anew, and keeps its image in the store: a collection removes no blob of it.
 *
 * @example
 * ```ts
 * await using container = await createContainer(store, 'app:1.0', { command: ['node', 'migrate.js'] })
 * const { code } = await container.start({ onOutput: chunk => process.stdout.write(chunk) })
 * ```
 *
 * @param name - Name or digest of the image in the store.
 * @throws {@link SandboxError} `ERR_CONTAINER_EXISTS`; {@link FormatError} `ERR_INVALID_ARGUMENT` for an invalid id or
 * setting, or if nothing says what to run; the errors of `readImage`.
 */
export async function createContainer(
  store: Store,
  name: string,
  options: CreateContainerOptions = {},
): Promise<Container> {
  const home = new ContainerHome(store, options)
  await home.sweep()
  const { record, lock } = await makeContainer(home, name, { ...options, keep: true })
  await lock.release()
  return new Container(home, record.id)
}

/** Creates a container that the caller holds the lock of. */
export async function makeContainer(
  home: ContainerHome,
  name: string,
  options: CreateContainerOptions & { readonly keep: boolean },
): Promise<{ readonly record: ContainerRecord; readonly lock: Lock }> {
  const { id = randomBytes(6).toString('hex'), keep, platform, signal } = options
  assertContainerId(id)
  const { store } = home
  const image = await readImage(store, name, { platform, signal })
  // SAFETY: until its record is there, a collection may remove the image of a name that is removed meanwhile.
  await using _lease = await store.leases.hold({
    label: `create container ${id}`,
    digests: [image.descriptor.digest, image.manifest.config.digest, ...image.layers.map(l => l.descriptor.digest)],
    signal,
  })
  const { mediaType, digest, size } = image.descriptor
  const config = composeContainerConfig(image.config, options)
  const record: ContainerRecord = {
    version: 1,
    id,
    image: { mediaType, digest, size },
    name,
    created: new Date().toISOString(),
    keep,
    process: composeProcess(config, options, id),
    config,
    state: 'created',
  }
  return { record, lock: await home.create(record) }
}
