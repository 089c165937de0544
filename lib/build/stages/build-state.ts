import type { Digest } from '../../digest/index.ts'
import { type ConfigStep, changeConfig, type Stage, type WorkdirStep } from '../../dockerfile/index.ts'
import { chainId, type ImageLayer } from '../../image/index.ts'
import { withoutSecrets } from '../../internal/without-credentials.ts'
import { type HistoryEntry, type ImageConfig, parsePlatform } from '../../oci/index.ts'
import type { ResolvedBase } from '../bases/resolved-base.ts'

/** A stage after some of its steps: the layers and the config that the next step starts from. */
export interface BuildState {
  /** Config so far; `rootfs` and `history` hold every layer and step. Members that are not known are kept. */
  readonly config: ImageConfig
  /** Layers, lowest first. */
  readonly layers: readonly ImageLayer[]
  /** The image at the bottom, directly or through other stages; absent on `scratch`. */
  readonly base?: ResolvedBase | undefined
  /** Number of history entries that are the base's own: their times stay. */
  readonly inherited: number
}

/** Comment of every history entry of docker; other tools recognise the format of the entries by it. */
const COMMENT = 'buildkit.dockerfile.v0'

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The state of a stage that starts from nothing. */
export function scratchState(stage: Stage): BuildState {
  const platform = parsePlatform(stage.platform)
  const config = {
    ...platform,
    config: { Env: [DEFAULT_PATH], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  } as const
  return { config, layers: [], inherited: 0 }
}

/**
 * Returns the state of a stage that starts from an image. The ONBUILD triggers of the image have become steps of the
 * stage.
 */
export function baseState(base: ResolvedBase): BuildState {
  const { created: _, ...config } = base.config
  const { OnBuild: _triggers, ...run } = (config.config ?? {}) as Record<string, unknown>
  const env = (run.Env as readonly string[] | null | undefined) ?? []
  const needsPath = config.os !== 'windows' && !env.some(variable => variable.startsWith('PATH='))
  const history = config.history ?? []
  return {
    config: { ...config, config: { ...run, ...(needsPath ? { Env: [...env, DEFAULT_PATH] } : {}) }, history },
    layers: base.layers,
    base,
    inherited: history.length,
  }
}

/** Resolves to the chain id of the layers of a state. */
export async function chainOf({ layers }: Pick<BuildState, 'layers'>): Promise<Digest | 'scratch'> {
  return (await chainId(layers.map(layer => layer.diffId))) ?? 'scratch'
}

/** The state after a step that made a layer. */
export function withLayer(state: BuildState, layer: ImageLayer, text: string): BuildState {
  const { config } = state
  const diffIds = [...config.rootfs.diff_ids, layer.diffId]
  return {
    ...state,
    layers: [...state.layers, layer],
    config: { ...config, rootfs: { type: 'layers', diff_ids: diffIds }, history: [...historyOf(state), entryOf(text)] },
  }
}

/** The state after a step that changed only the config. */
export function withConfig(state: BuildState, step: ConfigStep): BuildState {
  const config = changeConfig(state.config, step.set)
  return {
    ...state,
    config: { ...config, history: [...historyOf(state), { ...entryOf(step.text), empty_layer: true }] },
  }
}

/** The state after WORKDIR: of `/` there is no layer, as it exists in every root filesystem. */
export function withWorkdir(state: BuildState, step: WorkdirStep, layer: ImageLayer | undefined): BuildState {
  const run = { ...state.config.config, WorkingDir: step.path }
  const next = { ...state, config: { ...state.config, config: run } }
  if (layer) return withLayer(next, layer, step.text)
  const history = [...historyOf(state), { ...entryOf(step.text), empty_layer: true }]
  return { ...next, config: { ...next.config, history } }
}

function historyOf({ config }: BuildState): readonly HistoryEntry[] {
  return config.history ?? []
}

/** SAFETY: the history is as public as the image, so no password of an address gets there. */
function entryOf(text: string): HistoryEntry {
  return { created_by: withoutSecrets(text, 'xxxxx:xxxxx@'), comment: COMMENT }
}
