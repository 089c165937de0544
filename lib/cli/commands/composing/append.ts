import type { Image } from '../../../image/index.ts'
import type { RunConfig } from '../../../oci/index.ts'
import type { Store } from '../../../store/index.ts'
import { parseCreated } from '../../arguments/parse-created.ts'
import { type FindBaseOptions, findBase } from '../../places/find-base.ts'
import { checkResult, keepResult, type ResultOptions } from '../../results/keep-result.ts'
import type { Session } from '../../session/session.ts'
import { checkPolicyFile } from '../../signing/policy-of.ts'
import { addLayers } from './added-layers.ts'
import { pairsOf, type RunConfigOptions, runConfigOf } from './run-config.ts'
import { type WritingOptions, type WritingPolicies, writingPolicies } from './writing-policies.ts'

/** Options of `append`. */
export interface AppendOptions extends RunConfigOptions, WritingOptions, FindBaseOptions, ResultOptions {
  readonly dir?: readonly string[]
  readonly file?: readonly string[]
  readonly created?: string
}

/** The validated options. */
interface Appending extends Pick<AppendOptions, 'platform' | 'pull'> {
  readonly dir: readonly string[]
  readonly file: readonly string[]
  readonly config: RunConfig
  readonly annotations: Readonly<Record<string, string>>
  readonly created: string | undefined
  readonly writing: WritingPolicies
}

/**
 * `append BASE [--dir DIR[:/at]] [--file SRC[:/at[:mode]]] -t NAME | --push REF`: adds directories and files on top of
 * an image, names the result, pushes it, and prints its digest.
 */
export async function append(session: Session, base: string, options: AppendOptions): Promise<void> {
  const { dir = [], file = [], annotation = [] } = options
  await checkResult('append', options)
  await checkPolicyFile(options)
  const appending: Appending = {
    ...options,
    dir,
    file,
    config: runConfigOf(options),
    annotations: { ...(await baseNote(base)), ...pairsOf('--annotation', annotation) },
    created: options.created === undefined ? undefined : parseCreated(options.created),
    writing: await writingPolicies(options),
  }
  const store = await session.store()
  // The lease covers all layers: no collection may remove one before the image has its name.
  await using _lease = await store.leases.hold({ label: 'append', signal: session.signal })
  const image = await appendTo(session, store, base, appending)
  await keepResult(session, store, image, options, { layers: image.layers })
}

async function appendTo(session: Session, store: Store, base: string, options: Appending): Promise<Image> {
  const { dir, file, config, writing, annotations, created } = options
  const { composeImage } = await import('../../../image/index.ts')
  const { parsePlatform, platformOfConfig } = await import('../../../oci/index.ts')
  const { signal } = session
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const below = await findBase(session, store, base, options)
  const layers = await addLayers(session, store, { dir, file }, writing)
  return composeImage(store, {
    base: below,
    layers,
    config,
    annotations,
    created,
    // The base sets the platform, unless its config omits it.
    platform: below && platformOfConfig(below.config) ? undefined : platform,
    signal,
  })
}

/** The annotation that says which image is the base, by the name that the user typed; `rebase` finds the base by it. */
export async function baseNote(base: string): Promise<Record<string, string>> {
  if (base === 'scratch' || /^[a-z0-9]+:[0-9a-f]{32,}$/.test(base)) return {}
  const { Annotation, formatReference, parseReference } = await import('../../../oci/index.ts')
  const { digest: _, ...named } = parseReference(base.replace(/^(docker:\/\/|store:)/, ''))
  return { [Annotation.BaseName]: formatReference(named) }
}
