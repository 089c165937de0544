import type { CompressionType } from '../../compression/index.ts'
import type { Digest } from '../../digest/index.ts'
import type { CopyStep, FetchStep, RunStep } from '../../dockerfile/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type WriteLayerProgress, type WrittenLayer, writeLayer } from '../../layer/index.ts'
import { omitUnchanged } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import { namesAccounts } from '../keys/step-parts.ts'
import type { BuildSession } from '../session/build-session.ts'
import type { KeyedStep, LayerStep } from './key-step.ts'
import { layerEntries } from './layer-entries.ts'
import { planCopyOf } from './plan-copy-of.ts'
import type { RunSettings } from './run-entries.ts'
import type { StepFrame } from './step-frame.ts'
import { workdirEntries } from './workdir-entries.ts'

/** Settings for writing layers. */
export interface LayerSettings {
  /** Compression of layers. @defaultValue `'gzip'` */
  readonly compression?: CompressionType | undefined
  /** Level of the compression. */
  readonly level?: number | undefined
}

/** Options of {@link makeStep}. */
export interface MakeStepOptions extends AbortOptions {
  readonly layers: LayerSettings
  /** Layers that may have a part of the new one: those of earlier builds of the step. */
  readonly reuse: readonly Digest[]
  readonly run: RunSettings
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined
  readonly onLayer?: ((progress: WriteLayerProgress) => void) | undefined
}

/** Makes the layer of a step and stores it. On failure nothing is stored. */
export async function makeStep(
  session: BuildSession,
  step: LayerStep,
  keyed: KeyedStep,
  frame: StepFrame,
  options: MakeStepOptions,
): Promise<WrittenLayer> {
  // PERF: without leases, since the build holds one: another costs a sync for each layer.
  const { store } = session
  const unleased: Pick<Store, 'derived' | 'put' | 'read'> = {
    derived: store.derived,
    // PERF: `native` is faster. It cannot save its state, which only a write that another process continues needs.
    put: (source, options) => store.put(source, { ...options, hasher: options?.hasher ?? 'native' }),
    read: store.read.bind(store),
  }
  const write = (entries: Parameters<typeof layerEntries>[0], applied: Parameters<typeof layerEntries>[2]) =>
    writeLayer(unleased, layerEntries(entries, session.policies, applied), {
      ...options.layers,
      reuse: options.reuse,
      signal: options.signal,
      onProgress: options.onLayer,
    })
  switch (step.kind) {
    case 'workdir': {
      const view = await session.view(frame.state.layers, frame)
      return write(workdirEntries(step, view), { modes: false, owners: false })
    }
    case 'run':
      return makeRun(session, step, frame, options, entries => write(entries, { modes: false, owners: false }))
    default: {
      const entries = await copyEntries(session, step, keyed, frame)
      const { latestTime, chmod, chown } = step
      return write(entries, { latestTime, modes: chmod === undefined, owners: chown === undefined })
    }
  }
}

async function copyEntries(session: BuildSession, step: CopyStep | FetchStep, keyed: KeyedStep, frame: StepFrame) {
  const { signal } = frame
  const copy = step.remotes.length === 0 && keyed.copy ? keyed.copy : await replanned(session, step, frame)
  const needsBelow = !step.link || namesAccounts(step.chown)
  const below = needsBelow ? await session.view(frame.state.layers, frame) : undefined
  return copy.entries({ below, time: timeOf(session), signal })
}

/** Plans a copy again: the first plan had only the digests of downloads, or no record was asked for it. */
async function replanned(session: BuildSession, step: CopyStep | FetchStep, frame: StepFrame) {
  const hasSources = step.kind === 'copy' && step.sources.length > 0
  const source = hasSources ? await session.source(step.from, frame.stageOf, frame) : undefined
  return planCopyOf(session, step, source, { ...frame, wantContent: true })
}

/** Time of what has none of its own, such as created directories. */
function timeOf({ policies: { times } }: BuildSession): number {
  return typeof times === 'number' ? times : 0
}

async function makeRun(
  session: BuildSession,
  step: RunStep,
  frame: StepFrame,
  options: MakeStepOptions,
  write: (entries: Parameters<typeof layerEntries>[0]) => Promise<WrittenLayer>,
): Promise<WrittenLayer> {
  // PERF: most rebuilds run no command, and load nothing of the sandboxes.
  const { runEntries } = await import('./run-entries.ts')
  const changes = await runEntries(session, step, frame, options)
  const { signal } = frame
  const { times = 0, unchanged } = session.policies
  try {
    if (unchanged === 'omit') {
      const view = await session.view(frame.state.layers, frame)
      return await write(omitUnchanged(changes.entries(), view, { ignore: ['mtime'], signal }))
    }
    const written = await write(changes.entries())
    await changes.keepAs(written, times === 'source' ? undefined : times)
    return written
  } finally {
    // PERF: the next step needs nothing of this directory, so it does not wait for the removal.
    session.closeMeanwhile(changes)
  }
}
