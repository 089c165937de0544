import type { Position } from '../../dockerfile/index.ts'
import { BuildError, LayerStoreError } from '../../errors/index.ts'

/** The instruction that a failure belongs to. */
export interface FailedStep {
  readonly text: string
  readonly position?: Position | undefined
}

/** The failure with the step that it belongs to. The reason of an aborted signal stays as it is. */
export function atStep(
  error: unknown,
  id: string,
  { text, position }: FailedStep,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted || !LayerStoreError.is(error)) return error
  if (error instanceof BuildError && error.step !== undefined) return error
  const at = position ? `line ${position.line}` : undefined
  const place = `step ${id} (${JSON.stringify(text.slice(0, 200))})`
  if (error instanceof BuildError) {
    const { code, message, path } = error
    return new BuildError(code, `${place}: ${message}`, { step: text, at, path }, { cause: error })
  }
  return new BuildError(
    'ERR_BUILD_STEP',
    `${place}: ${error.message} (${error.code})`,
    { step: text, at },
    { cause: error },
  )
}
