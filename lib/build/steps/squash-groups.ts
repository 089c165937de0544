import { squashLayers } from '../../rootfs/index.ts'
import { keyOf } from '../keys/key-part.ts'
import type { BuildSession } from '../session/build-session.ts'
import type { BuildState } from '../stages/build-state.ts'
import type { LayerSettings } from './make-step.ts'

/** Options of {@link squashGroups}. */
export interface SquashGroupsOptions {
  readonly layers: LayerSettings
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes one layer of each run of layers that have the same group. The layers below stay as they are; the history keeps
 * every step, those of a group but the last without a layer. A squashed layer is recorded like a step.
 *
 * @param first - Number of layers that the stage began with.
 * @param groups - Group of each layer that the stage added; `undefined` for a layer that stays by itself.
 */
export async function squashGroups(
  session: BuildSession,
  state: BuildState,
  first: number,
  groups: readonly (string | undefined)[],
  options: SquashGroupsOptions,
): Promise<BuildState> {
  let next = state
  // From the top, so that the indexes of lower runs stay.
  for (const { from, to } of runsOf(groups).reverse()) {
    next = await squashRun(session, next, { from: first + from, to: first + to }, options)
  }
  return next
}

interface Run {
  readonly from: number
  /** Included. */
  readonly to: number
}

function runsOf(groups: readonly (string | undefined)[]): Run[] {
  const runs: Run[] = []
  for (let from = 0; from < groups.length; ) {
    let to = from
    while (groups[from] !== undefined && groups[to + 1] === groups[from]) to++
    if (to > from) runs.push({ from, to })
    from = to + 1
  }
  return runs
}

async function squashRun(
  session: BuildSession,
  state: BuildState,
  { from, to }: Run,
  { layers: settings, signal }: SquashGroupsOptions,
): Promise<BuildState> {
  const parts = state.layers.slice(0, to + 1).map(({ diffId }, i) => {
    return { what: 'base', name: i < from ? 'below' : 'squashed', value: diffId } as const
  })
  const key = await keyOf(parts)
  const found = await session.cache.find(key, { signal })
  const layer = found && !found.remote ? { descriptor: found.record.layer, diffId: found.record.diffId } : undefined
  const squashed = layer ?? (await squash())
  const diffIds = [...state.config.rootfs.diff_ids]
  diffIds.splice(from, to - from + 1, squashed.diffId)
  const layers = [...state.layers]
  layers.splice(from, to - from + 1, squashed)
  const history = emptied(state.config.history ?? [], from, to)
  return { ...state, layers, config: { ...state.config, rootfs: { type: 'layers', diff_ids: diffIds }, history } }

  async function squash() {
    const begun = performance.now()
    await session.assureLayers(state.layers.slice(0, to + 1), { mayFetch: true, signal })
    const done = await squashLayers(session.store, state.layers.slice(0, to + 1), {
      layers: { from, to },
      ...settings,
      signal,
    })
    const { descriptor, diffId } = done.written[0]!
    await session.cache.keep({
      version: 1,
      blobs: [descriptor.digest],
      key,
      title: 'squash',
      parts,
      layer: descriptor,
      diffId,
      milliseconds: Math.round(performance.now() - begun),
    })
    return { descriptor, diffId }
  }
}

/** The history in which of the layers `from` to `to` only the last entry has a layer. */
function emptied(history: NonNullable<BuildState['config']['history']>, from: number, to: number) {
  let layer = -1
  return history.map(entry => {
    if (entry.empty_layer) return entry
    layer++
    return layer >= from && layer < to ? { ...entry, empty_layer: true } : entry
  })
}
