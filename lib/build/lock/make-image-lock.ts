import { digestOf } from '../../digest/index.ts'
import type { Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { compressorOf } from '../../layer/index.ts'
import type { ResolvedBase } from '../bases/resolved-base.ts'
import type { BuildPlan } from '../build-plan.ts'
import type { BuildContext } from '../context/build-context.ts'
import { contextDigest } from '../context/context-digest.ts'
import { publicArgument } from '../provenance/public-argument.ts'
import type { LayerSettings } from '../steps/make-step.ts'
import type { BuildLockOptions, ImageLock, LockedBase, LockedImage, LockedInputs } from './image-lock.ts'

/** A finished build. */
export interface LockingBuild extends AbortOptions, LayerSettings {
  readonly plan: BuildPlan
  readonly session: {
    readonly dockerfile: { readonly source?: string | undefined } | undefined
    bases(): Promise<[platform: string, base: ResolvedBase][]>
  }
  readonly images: readonly (Image & { readonly platform: string })[]
  readonly context: BuildContext | undefined
  readonly lock: BuildLockOptions
}

/** Makes the lock of a finished build. */
export async function makeImageLock(build: LockingBuild): Promise<ImageLock> {
  const { plan, session, images, context, lock, compression = 'gzip', level, signal } = build
  const wanted = new Set(
    plan.images.flatMap(image => image.bases.map(({ reference, platform }) => `${platform} ${reference}`)),
  )
  const bases: LockedBase[] = []
  for (const [platform, { reference, descriptor, index, layers }] of await session.bases()) {
    if (!wanted.has(`${platform} ${reference}`)) continue
    bases.push({
      reference,
      platform,
      digest: descriptor.digest,
      ...(index === undefined ? {} : { index }),
      layers: layers.map(layer => layer.descriptor.digest),
    })
  }
  const dockerfile = session.dockerfile?.source
  return {
    version: 1,
    bases,
    compressor: compressorOf(compression, level),
    inputs: await lockInputs({ context, dockerfile, ...lock }, { signal }),
    images: images.map(image => lockedImage(image, image.platform)),
  }
}

/** Inputs of a build as the caller has them. */
export interface InputsToLock extends Pick<BuildLockOptions, 'buildArgs' | 'omit' | 'target'> {
  /** Context of the build. */
  readonly context?: BuildContext | undefined
  /** Text of the Dockerfile. */
  readonly dockerfile?: string | undefined
}

/**
 * Resolves to the inputs of a build as a lock names them. SAFETY: a lock is committed and published, so values of
 * arguments that seem to be secrets, and passwords in addresses, are replaced.
 *
 * @example
 * ```ts
 * await using context = await openContext('.')
 * const inputs = await lockInputs({ context, dockerfile: await readFile('Dockerfile', 'utf8') })
 * ```
 *
 * @throws as `contextDigest`.
 */
export async function lockInputs(inputs: InputsToLock, options: AbortOptions = {}): Promise<LockedInputs> {
  const { context, dockerfile, target, omit, buildArgs = {} } = inputs
  const args = Object.entries(buildArgs).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, publicArgument(name, value)]],
  )
  return {
    ...(context ? { context: await contextDigest(context, { ...options, omit }) } : {}),
    ...(dockerfile === undefined ? {} : { dockerfile: await digestOf(Buffer.from(dockerfile)) }),
    ...(target === undefined ? {} : { target }),
    args: Object.fromEntries(args.sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/**
 * Returns an image as a lock names it.
 *
 * @example
 * ```ts
 * const image = lockedImage(await readImage(store, 'app:1.0'), 'linux/amd64')
 * ```
 */
export function lockedImage({ descriptor, manifest, layers }: Image, platform: string): LockedImage {
  return {
    platform,
    digest: descriptor.digest,
    config: manifest.config.digest,
    layers: layers.map(layer => layer.descriptor.digest),
  }
}
