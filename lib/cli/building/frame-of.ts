import { codeFrame } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'

/**
 * Lines of the Dockerfile round the place of an error of a build, with a mark; none for an error without a place. An
 * error of the Dockerfile has its own, which the command line prints with every such error.
 */
export function frameOf(error: unknown, dockerfile: string): readonly string[] {
  const line = error instanceof BuildError ? Number(/^line (\d+)$/.exec(error.at ?? '')?.[1]) : Number.NaN
  return Number.isNaN(line) ? [] : codeFrame(dockerfile, line, undefined).split('\n')
}
