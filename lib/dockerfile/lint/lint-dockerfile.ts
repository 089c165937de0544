import { DockerfileError } from '../../errors/index.ts'
import type { DockerfileDocument } from '../document/document.ts'
import { evaluateStagesOf } from '../evaluate/evaluate-dockerfile.ts'
import { adviceRules } from './advice/advice-rules.ts'
import { fileSettings, instructionSettings } from './check-settings.ts'
import type { LintDockerfileOptions, LintReport } from './lint-report.ts'
import type { Evaluated } from './rule.ts'
import { documentRules } from './rules/document-rules.ts'
import { stageRules } from './rules/stage-rules.ts'

/**
 * Checks a Dockerfile against BuildKit's rules, by their names and triggers, and against rules of our own, whose names
 * begin with `layerstore/`. All stages are checked, or those that `target` needs. `# check=` directives are honoured.
 * The README of the room lists the rules. Does no I/O.
 *
 * @throws {@link DockerfileError} for an unknown option of `# check=`.
 * @see {@link https://docs.docker.com/reference/build-checks/ | BuildKit's rules}
 */
export function lintDockerfile(document: DockerfileDocument, options: LintDockerfileOptions = {}): LintReport {
  const settings = fileSettings(document, options.buildArgs?.BUILDKIT_DOCKERFILE_CHECK)
  const { evaluated, error } = evaluate(document, options)
  const found = documentRules(document, settings)
  if (evaluated) found.push(...stageRules(evaluated, options), ...adviceRules(evaluated))
  const findings = found
    .filter(({ rule, owner }) => {
      if (settings.skip === 'all' || settings.skip.has(rule)) return false
      const { skip } = instructionSettings(owner)
      return skip !== 'all' && !skip.has(rule)
    })
    .map(({ owner: _, ...finding }) => finding)
    .sort((a, b) => a.position.line - b.position.line || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0))
  const failsBuild = settings.error && findings.some(({ severity }) => severity === 'warning')
  return { findings, failsBuild, ...(error && { error }) }
}

function evaluate(
  document: DockerfileDocument,
  options: LintDockerfileOptions,
): { evaluated?: Evaluated; error?: DockerfileError } {
  try {
    return { evaluated: { document, ...evaluateStagesOf(document, options, !options.target) } }
  } catch (error) {
    if (error instanceof DockerfileError) return { error }
    throw error
  }
}
