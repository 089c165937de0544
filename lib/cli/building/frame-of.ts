import { codeFrame } from '../../dockerfile/index.ts'
import { BuildError, DockerfileError } from '../../errors/index.ts'

/** Lines of the Dockerfile round the place of an error, with a mark; none for an error without a place. */
export function frameOf(error: unknown, dockerfile: string): readonly string[] {
  if (error instanceof DockerfileError) return error.frame?.split('\n') ?? []
  const line = error instanceof BuildError ? Number(/^line (\d+)$/.exec(error.at ?? '')?.[1]) : Number.NaN
  return Number.isNaN(line) ? [] : codeFrame(dockerfile, line, undefined).split('\n')
}
