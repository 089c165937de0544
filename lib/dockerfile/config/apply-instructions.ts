import { FormatError } from '../../errors/index.ts'
import type { ImageConfig } from '../../oci/index.ts'
import type { Stage } from '../data/stage.ts'
import type { Step } from '../data/step.ts'
import { parseDockerfile } from '../document/parse-dockerfile.ts'
import { evaluateDockerfile } from '../evaluate/evaluate-dockerfile.ts'
import { changeConfig } from './change-config.ts'

/** Name of the instructions in errors. */
const FILE = 'changes'

/**
 * Applies instructions of a Dockerfile that only change the config of an image, such as `CMD ["node"]` or `ENV A=$B`.
 * Variables of the config are expanded. The history does not change, and ONBUILD triggers of the config do not fire:
 * they are removed. Pure.
 *
 * @throws {@link DockerfileError}; {@link FormatError} `ERR_INVALID_ARGUMENT` for an instruction that makes a layer,
 * or begins another stage.
 */
export function applyInstructions(config: ImageConfig, instructions: readonly string[]): ImageConfig {
  const { OnBuild: _, ...run } = (config.config ?? {}) as Record<string, unknown>
  const base: ImageConfig = { ...config, config: run }
  if (instructions.length === 0) return base
  const document = parseDockerfile(['FROM base', ...instructions].join('\n'), { file: FILE })
  if (document.instructions.filter(({ name }) => name === 'FROM').length > 1) throw refused('FROM')
  const { stages } = evaluateDockerfile(document, { bases: () => base })
  const stage = stages.at(-1) as Stage
  const changed = stage.steps.reduce(applyStep, base)
  return stage.onBuild.length === 0
    ? changed
    : { ...changed, config: { ...changed.config, OnBuild: stage.onBuild } as ImageConfig['config'] & object }
}

function applyStep(config: ImageConfig, step: Step): ImageConfig {
  if (step.kind === 'config') {
    // A commit of Docker does not note what a build notes for Windows.
    const { argsEscaped: _, ...change } = step.set
    return changeConfig(config, change)
  }
  if (step.kind === 'workdir') return { ...config, config: { ...config.config, WorkingDir: step.path } }
  throw refused(step.text)
}

function refused(text: string): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', `${JSON.stringify(text)} changes more than the config of an image`)
}
