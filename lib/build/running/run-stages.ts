import type { Digest } from '../../digest/index.ts'
import type { Stage, Step } from '../../dockerfile/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Semaphore } from '../../internal/concurrency/semaphore.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { KeyedMutex, Lease } from '../../store/index.ts'
import type { BuildStepResult, OnBuildProgress } from '../build-progress.ts'
import { putInputs } from '../cache/input-list.ts'
import type { Explanation } from '../cache/step-cache.ts'
import type { StepRecord } from '../cache/step-record.ts'
import type { BuildSession } from '../session/build-session.ts'
import { atStep, type FailedStep } from '../stages/at-step.ts'
import { type BuildState, withConfig, withLayer, withWorkdir } from '../stages/build-state.ts'
import { sourcesOf } from '../stages/sources-of.ts'
import { stepId, titleOfBase } from '../stages/step-ids.ts'
import { type KeyedStep, keyStep, type LayerStep } from '../steps/key-step.ts'
import { type LayerSettings, makeStep } from '../steps/make-step.ts'
import type { RunSettings } from '../steps/run-entries.ts'
import { squashGroups } from '../steps/squash-groups.ts'
import { startStage } from '../steps/start-stage.ts'
import type { StepFrame } from '../steps/step-frame.ts'

/** Options of {@link runStages}. */
export interface RunStagesOptions extends AbortOptions {
  readonly name: string
  readonly platform: string
  readonly useCache: (step: Step, stage: Stage) => boolean
  readonly layers: LayerSettings
  readonly run: RunSettings
  /** Bounds the steps of all stages and platforms that are made at once. */
  readonly slots: Semaphore
  readonly lease: Lease
  readonly making: MakingSteps
  readonly onProgress?: OnBuildProgress | undefined
}

/** Steps of all stages and platforms of one build, by their keys: finished and running ones. */
export interface MakingSteps {
  readonly made: Map<Digest, StepRecord>
  readonly mutex: KeyedMutex
}

interface FinishedStep extends Pick<BuildStepResult, 'reason' | 'differs'> {
  readonly record: StepRecord
  readonly outcome: 'cached' | 'made'
}

/** The end of the last stage, and the results of all steps. */
export interface RanStages {
  readonly state: BuildState
  readonly steps: readonly BuildStepResult[]
  /** Records of all steps that gave a layer, by their places. */
  readonly records: ReadonlyMap<string, StepRecord>
}

/** Runs stages: each as soon as those that it reads from are finished, side by side. */
export async function runStages(
  session: BuildSession,
  stages: readonly Stage[],
  options: RunStagesOptions,
): Promise<RanStages> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const records = new Map<string, StepRecord>()
  const ends: Promise<{ state: BuildState; steps: BuildStepResult[] }>[] = []
  for (const index of stages.keys()) {
    const stageOf = async (at: number) => (await ends[at]!).state
    const runner = new StageRunner(session, stages, index, stageOf, records, { ...options, signal })
    const end = runner.run()
    // The first failure stops the other stages; it is the one that is reported.
    end.catch(error => stop.abort(error))
    ends.push(end)
  }
  const done = await settleAll(ends).catch(error => {
    options.signal?.throwIfAborted()
    throw stop.signal.aborted ? stop.signal.reason : error
  })
  return { state: done.at(-1)!.state, steps: done.flatMap(({ steps }) => steps), records }
}

class StageRunner {
  readonly #session: BuildSession
  readonly #stages: readonly Stage[]
  readonly #index: number
  readonly #stageOf: (stage: number) => Promise<BuildState>
  readonly #records: Map<string, StepRecord>
  readonly #options: RunStagesOptions
  readonly #done: BuildStepResult[] = []

  constructor(
    session: BuildSession,
    stages: readonly Stage[],
    index: number,
    stageOf: (stage: number) => Promise<BuildState>,
    records: Map<string, StepRecord>,
    options: RunStagesOptions,
  ) {
    this.#session = session
    this.#stages = stages
    this.#index = index
    this.#stageOf = stageOf
    this.#records = records
    this.#options = options
  }

  async run(): Promise<{ state: BuildState; steps: BuildStepResult[] }> {
    const stage = this.#stages[this.#index]!
    let state = await this.#start(stage)
    const first = state.layers.length
    const groups: (string | undefined)[] = []
    for (const [i, step] of stage.steps.entries()) {
      this.#options.signal?.throwIfAborted()
      const before = state.layers.length
      if (step.kind === 'config') state = this.#config(withConfig(state, step), step, i)
      else if (step.kind === 'workdir' && step.path === '/')
        state = this.#config(withWorkdir(state, step, undefined), step, i)
      else state = await this.#layer(stage, step, i, state)
      if (state.layers.length > before) groups.push(step.squash)
    }
    state = await squashGroups(this.#session, state, first, groups, this.#options)
    return { state, steps: this.#done }
  }

  async #start(stage: Stage): Promise<BuildState> {
    const title = titleOfBase(this.#stages, stage)
    const id = this.#id(-1)
    const begun = performance.now()
    try {
      const state = await startStage(this.#session, stage, this.#stageOf, this.#options.signal)
      // The base may lose its name while the build runs.
      for (const { descriptor } of state.base?.layers ?? []) await this.#options.lease.add(descriptor.digest)
      this.#finish({ id, title, outcome: 'base', milliseconds: performance.now() - begun })
      return state
    } catch (error) {
      throw this.#atStep(error, { text: title, position: stage.position }, id)
    }
  }

  #config(state: BuildState, step: Step, i: number): BuildState {
    this.#finish({ id: this.#id(i), title: step.title, outcome: 'config', milliseconds: 0 })
    return state
  }

  async #layer(stage: Stage, step: LayerStep, i: number, state: BuildState): Promise<BuildState> {
    const { signal, useCache, platform, onProgress } = this.#options
    const id = this.#id(i)
    const frame: StepFrame = {
      state,
      platform: stage.platform,
      stageOf: this.#stageOf,
      mayFetch: true,
      useCache: useCache(step, stage),
      signal,
    }
    try {
      // Stages that are waited for need slots of their own, so they are waited for before this step takes one.
      await this.#awaitSources(step)
      const release = await this.#options.slots.acquire(signal)
      // The time that it waited is not its own.
      const begun = performance.now()
      try {
        onProgress?.({ kind: 'step-started', id, platform, title: step.title })
        const keyed = await keyStep(this.#session, step, frame)
        const record = await this.#once(keyed, () => this.#make(step, keyed, frame, id, begun))
        this.#records.set(id, record.record)
        const layer = { descriptor: record.record.layer, diffId: record.record.diffId }
        const { outcome, reason, differs } = record
        this.#finish({ id, title: step.title, outcome, milliseconds: performance.now() - begun, reason, differs })
        return step.kind === 'workdir' ? withWorkdir(state, step, layer) : withLayer(state, layer, step.text)
      } finally {
        release()
      }
    } catch (error) {
      onProgress?.({ kind: signal?.aborted ? 'step-stopped' : 'step-failed', id, platform, title: step.title })
      throw this.#atStep(error, step, id)
    }
  }

  async #awaitSources(step: LayerStep): Promise<void> {
    for (const from of sourcesOf(step)) if ('stage' in from) await this.#stageOf(from.stage)
  }

  /** A step that another stage or platform of this build has made, or is making, is not made twice. */
  async #once(keyed: KeyedStep, make: () => Promise<FinishedStep>): Promise<FinishedStep> {
    const { making, signal } = this.#options
    const release = await making.mutex.acquire(keyed.key, signal)
    try {
      const made = making.made.get(keyed.key)
      if (made) return { record: made, outcome: 'cached' }
      const finished = (await this.#reuse(keyed)) ?? (await make())
      if (finished.outcome === 'made') making.made.set(keyed.key, finished.record)
      return finished
    } finally {
      release()
    }
  }

  /** Takes the layer of a record; a layer that is gone by now is made again. */
  async #reuse(keyed: KeyedStep): Promise<FinishedStep | undefined> {
    if (!keyed.found) return undefined
    const { record, remote } = keyed.found
    if (remote) this.#session.noteLayer(record.layer.digest, { blobs: remote })
    else if (!(await this.#options.lease.add(record.layer.digest))) return undefined
    const kept = keyed.definition ? { ...record, definition: keyed.definition } : record
    // Written again: a record counts as used at the time when it was set last.
    if (!remote) await this.#session.cache.keep(kept)
    return { record: kept, outcome: 'cached' }
  }

  async #make(step: LayerStep, keyed: KeyedStep, frame: StepFrame, id: string, begun: number): Promise<FinishedStep> {
    const { name, platform, signal, layers, run, onProgress } = this.#options
    const position = { build: `${name} ${platform}`, place: id, title: step.title }
    const { reason, differs, nearest }: Explanation = frame.useCache
      ? await this.#session.cache.explain(keyed, position, { signal })
      : { reason: 'the cache was not asked', differs: [] }
    const written = await makeStep(this.#session, step, keyed, frame, {
      signal,
      layers,
      reuse: nearest ? [nearest] : [],
      run,
      onOutput: (chunk, stream) =>
        onProgress?.({ kind: 'step-output', id, platform, title: step.title, chunk, stream }),
      onLayer: ({ entries, bytes }) =>
        onProgress?.({ kind: 'step-bytes', id, platform, title: step.title, entries, bytes }),
    })
    const inputs = keyed.inputs && (await putInputs(this.#session.store, keyed.inputs, { signal }))
    const record: StepRecord = {
      version: 1,
      blobs: [written.descriptor.digest, ...(inputs ? [inputs] : [])],
      key: keyed.key,
      ...(keyed.definition ? { definition: keyed.definition } : {}),
      title: step.title,
      parts: keyed.parts,
      layer: written.descriptor,
      diffId: written.diffId,
      milliseconds: Math.round(performance.now() - begun),
      ...(inputs ? { inputs } : {}),
    }
    await this.#session.cache.keep(record)
    return { record, outcome: 'made', reason, differs }
  }

  #finish(result: Omit<BuildStepResult, 'platform'>): void {
    const whole = { ...result, platform: this.#options.platform }
    this.#done.push(whole)
    this.#options.onProgress?.({ kind: 'step-finished', ...whole })
  }

  #atStep(error: unknown, step: FailedStep, id: string): unknown {
    return atStep(error, step, { id, dockerfile: this.#session.dockerfile, signal: this.#options.signal })
  }

  #id(step: number): string {
    return stepId(this.#stages, this.#index, step)
  }
}
