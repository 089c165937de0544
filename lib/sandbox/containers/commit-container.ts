import { applyInstructions } from '../../dockerfile/index.ts'
import { composeManifest, type Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { type WriteLayerOptions, type WrittenLayer, writeLayer } from '../../layer/index.ts'
import { Annotation, type ImageConfig, MediaType, parseReference } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { Stack } from '../snapshots/stack.ts'
import { ContainerHome, type ContainerPlace } from './home/container-home.ts'
import type { ContainerRecord } from './home/container-record.ts'
import { withStack } from './running/with-stack.ts'

/** Options of {@link commitContainer}. */
export interface CommitContainerOptions extends ContainerPlace, AbortOptions, Pick<WriteLayerOptions, 'compression'> {
  /** Name of the new image in the store. @defaultValue none */
  readonly name?: string | undefined
  /** Author of the image. */
  readonly author?: string | undefined
  /** Comment in the history. */
  readonly message?: string | undefined
  /** Instructions of a Dockerfile that change the config, such as `CMD ["node"]`. */
  readonly changes?: readonly string[] | undefined
  /** Time of the image, RFC 3339. @defaultValue now */
  readonly created?: string | undefined
}

/**
 * Makes an image of a container: what it has written becomes a layer on its image, and its command, variables, working
 * directory and user become the config, as `docker commit` does. The container stays. One that runs is not paused.
 *
 * @example
 * ```ts
 * await commitContainer(store, 'work', { name: 'app:1.1', changes: ['CMD ["node", "server.js"]'] })
 * ```
 *
 * @param id - Its id, or the beginning of it if no other id begins so.
 * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`; {@link DockerfileError} and {@link FormatError} for a change
 * or a name that is not allowed; the errors of the snapshots and of `writeLayer`.
 */
export async function commitContainer(store: Store, id: string, options: CommitContainerOptions = {}): Promise<Image> {
  const { name, signal } = options
  if (name !== undefined) parseReference(name)
  await using home = new ContainerHome(store, options)
  const record = await home.record(await home.find(id))
  return withStack(home, record, { signal }, async ({ image, stack }) => {
    // A change that is not allowed is refused before the layer is written.
    const config = committedConfig(image.config, record, options)
    const layers = image.layers.map(({ descriptor }) => descriptor.digest)
    await using _lease = await store.leases.hold({ label: `commit container ${record.id}`, digests: layers, signal })
    const layer = await writeChanges(store, stack, options)
    const committed = await putImage(store, image, config, { layer, record }, options)
    if (name !== undefined) await store.references.set(name, committed.descriptor, { signal })
    return committed
  })
}

function committedConfig(
  base: ImageConfig,
  { config }: ContainerRecord,
  { changes = [], author }: CommitContainerOptions,
): ImageConfig {
  const changed = applyInstructions({ ...base, config }, changes)
  return author === undefined ? changed : { ...changed, author }
}

/** Writes the layer; `undefined` if the container has written nothing. */
async function writeChanges(
  store: Store,
  stack: Stack,
  { compression, signal }: CommitContainerOptions,
): Promise<WrittenLayer | undefined> {
  let count = 0
  async function* counted(): AsyncGenerator<TarInput> {
    for await (const entry of stack.changes({ signal })) {
      count++
      yield entry
    }
  }
  const layer = await writeLayer(store, counted(), { signal, ...(compression && { compression }) })
  return count === 0 ? undefined : layer
}

async function putImage(
  store: Store,
  base: Image,
  config: ImageConfig,
  { layer, record }: { readonly layer: WrittenLayer | undefined; readonly record: ContainerRecord },
  { author, message, created = new Date().toISOString(), signal }: CommitContainerOptions,
): Promise<Image> {
  const entry = {
    created,
    created_by: (record.config.Cmd ?? []).join(' '),
    ...(author !== undefined && { author }),
    ...(message !== undefined && { comment: message }),
    ...(!layer && { empty_layer: true }),
  }
  const layers = layer ? [...base.layers, { descriptor: layer.descriptor, diffId: layer.diffId }] : base.layers
  const whole: ImageConfig = {
    ...config,
    created,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: [...(config.history ?? []), entry],
  }
  const info = await store.put(canonicalJson(whole), { signal })
  const manifest = composeManifest({
    config: { mediaType: MediaType.OciConfig, ...info },
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: { [Annotation.BaseDigest]: base.descriptor.digest },
  })
  const put = await store.put(canonicalJson(manifest), { signal })
  return { descriptor: { mediaType: MediaType.OciManifest, ...put }, manifest, config: whole, layers }
}
