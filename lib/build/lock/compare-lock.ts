import type { ImageLock, LockedImage, LockedInputs } from './image-lock.ts'

/** A part of a build that differs from its lock. */
export interface LockDifference {
  /** The part. `manifest` differs alone if only annotations or media types do. */
  readonly part:
    | 'context'
    | 'dockerfile'
    | 'target'
    | 'args'
    | 'compressor'
    | 'platform'
    | 'base'
    | 'layer'
    | 'config'
    | 'manifest'
  /** Name of the argument, reference of the base, or number of the layer from 1. */
  readonly name?: string
  /** Platform of the image, for parts of one. */
  readonly platform?: string
  /** Value of the lock; absent if the lock has none. */
  readonly locked?: string
  /** Value of the build; absent if it has none. */
  readonly actual?: string
}

/** A build to compare with a lock. */
export interface ActualBuild {
  /** Its images. */
  readonly images: readonly LockedImage[]
  /** Its inputs; without them only results are compared. */
  readonly inputs?: LockedInputs | undefined
  /** Its compressor. */
  readonly compressor?: string | undefined
}

/**
 * Compares a build with a lock: first the inputs, which are reasons, then the images. Layers of a base are one
 * difference `base`, so that the reason of a changed layer is named once.
 *
 * @example
 * ```ts
 * const locked = parseImageLock(await readFile('image.lock'))
 * const image = lockedImage(await readImage(store, 'app:1.0'), 'linux/amd64')
 * for (const { part, name } of compareLock(locked, { images: [image] })) console.log(part, name)
 * ```
 */
export function compareLock(locked: ImageLock, { images, inputs, compressor }: ActualBuild): LockDifference[] {
  const found: LockDifference[] = inputs ? differentInputs(locked.inputs, inputs) : []
  if (compressor !== undefined && compressor !== locked.compressor)
    found.push({ part: 'compressor', locked: locked.compressor, actual: compressor })
  const actual = new Map(images.map(image => [image.platform, image]))
  for (const image of locked.images) {
    const other = actual.get(image.platform)
    actual.delete(image.platform)
    if (other) found.push(...differentImages(locked, image, other))
    else found.push({ part: 'platform', platform: image.platform, locked: image.digest })
  }
  for (const { platform, digest } of actual.values()) found.push({ part: 'platform', platform, actual: digest })
  return found
}

function differentInputs(locked: LockedInputs, actual: LockedInputs): LockDifference[] {
  const parts = (['context', 'dockerfile', 'target'] as const).flatMap(part =>
    locked[part] === actual[part] ? [] : [{ part, ...values(locked[part], actual[part]) }],
  )
  const names = [...new Set([...Object.keys(locked.args), ...Object.keys(actual.args)])].sort()
  const args = names.flatMap((name): LockDifference[] =>
    locked.args[name] === actual.args[name]
      ? []
      : [{ part: 'args', name, ...values(locked.args[name], actual.args[name]) }],
  )
  return [...parts, ...args]
}

function differentImages(lock: ImageLock, locked: LockedImage, actual: LockedImage): LockDifference[] {
  const { platform } = locked
  const found: LockDifference[] = []
  const base = lock.bases.find(
    ({ layers }) => layers.length > 0 && layers.every((layer, i) => locked.layers[i] === layer),
  )
  const below = base?.layers.length ?? 0
  if (base?.layers.some((layer, i) => actual.layers[i] !== layer))
    found.push({ part: 'base', name: base.reference, platform, locked: base.digest })
  for (let i = below; i < Math.max(locked.layers.length, actual.layers.length); i++) {
    const [before, after] = [locked.layers[i], actual.layers[i]]
    if (before !== after) found.push({ part: 'layer', name: String(i + 1), platform, ...values(before, after) })
  }
  if (locked.config !== actual.config) found.push({ part: 'config', platform, ...values(locked.config, actual.config) })
  if (found.length === 0 && locked.digest !== actual.digest)
    found.push({ part: 'manifest', platform, ...values(locked.digest, actual.digest) })
  return found
}

function values(locked: string | undefined, actual: string | undefined) {
  return { ...(locked === undefined ? {} : { locked }), ...(actual === undefined ? {} : { actual }) }
}
