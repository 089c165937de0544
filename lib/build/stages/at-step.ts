import { codeFrame, type Position } from '../../dockerfile/index.ts'
import { BuildError, LayerStoreError } from '../../errors/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'

/** The Dockerfile of a build, as errors show it. */
export interface NamedDockerfile {
  readonly file: string
  /** Absent for a plan that was stored: errors then have no code frame. */
  readonly source?: string | undefined
}

/** The instruction that a failure belongs to. */
export interface FailedStep {
  readonly text: string
  /** Text for users; the history text of a RUN has the values of build arguments. @defaultValue `text` */
  readonly title?: string | undefined
  readonly position?: Position | undefined
}

/** Options of {@link atStep}. */
export interface AtStepOptions {
  /** Identifier of the step; absent for a base that is asked for before the stages are known. */
  readonly id?: string | undefined
  readonly dockerfile: NamedDockerfile | undefined
  readonly signal: AbortSignal | undefined
}

/** The failure with the step that it belongs to. The reason of an aborted signal stays as it is. */
export function atStep(error: unknown, { text, title = text, position }: FailedStep, context: AtStepOptions): unknown {
  const { id, dockerfile, signal } = context
  if (signal?.aborted || !LayerStoreError.is(error)) return error
  if (error instanceof BuildError && error.step !== undefined) return error
  const shown = withoutCredentials(title.slice(0, 200))
  const details = { step: withoutCredentials(title), ...placeIn(dockerfile, position) }
  const place = id === undefined ? shown : `step ${id} (${JSON.stringify(shown)})`
  if (error instanceof BuildError) {
    const { code, message, path, command } = error
    return new BuildError(code, `${place}: ${message}`, { ...details, path, command }, { cause: error })
  }
  return new BuildError('ERR_BUILD_STEP', `${place}: ${error.message} (${error.code})`, details, { cause: error })
}

/** Position of a step for an error, as `file:line:column`, and the lines of the Dockerfile round it. */
export function placeIn(
  dockerfile: NamedDockerfile | undefined,
  position: Position | undefined,
): { readonly at?: string; readonly frame?: string } {
  if (!position) return {}
  const { line, column } = position
  const { file = 'Dockerfile', source } = dockerfile ?? {}
  return {
    at: `${file}:${line}:${column}`,
    ...(source === undefined ? {} : { frame: withoutCredentials(codeFrame(source, line, undefined)) }),
  }
}
