import { DockerfileError, type DockerfileErrorCode } from '../../errors/index.ts'
import { codeFrame } from './code-frame.ts'
import type { Position } from './document.ts'

/** A text and its name, which errors are shown in. */
export interface NamedSource {
  readonly file: string
  readonly source: string
}

/** Makes the error for a place in a Dockerfile, with the code frame. */
export function dockerfileFault(
  { file, source }: NamedSource,
  position: Position | undefined,
  message: string,
  details: { code?: DockerfileErrorCode; hint?: string | undefined; cause?: unknown } = {},
): DockerfileError {
  const { code = 'ERR_DOCKERFILE_SYNTAX', hint, cause } = details
  if (!position) return new DockerfileError(code, message, { file, hint }, { cause })
  const { line, column, endLine } = position
  const frame = codeFrame(source, line, column)
  return new DockerfileError(code, message, { file, line, column, endLine, frame, hint }, { cause })
}

/** SAFETY: a text of the file in a message is bounded and cannot hold control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
