import type { DockerfileError } from '../../errors/index.ts'
import type { EvaluateDockerfileOptions } from '../data/evaluation.ts'
import type { Position } from '../document/document.ts'

/** A rule that a Dockerfile breaks, and the place. */
export interface LintFinding {
  /**
   * Name of the rule: BuildKit's as BuildKit has it, such as `StageNameCasing`, ours with a prefix, such as
   * `layerstore/SecretCopied`.
   */
  readonly rule: string
  /** `warning`: most likely a mistake. `advice`: a way to a smaller, safer or faster image. */
  readonly severity: 'warning' | 'advice'
  /** Description of the finding. */
  readonly message: string
  /** Advice. */
  readonly hint: string
  /** Position of the finding. */
  readonly position: Position
}

/** Patterns of the ignore file of the build context, and what they match. */
export interface LintIgnoreRules {
  /** The patterns as written. */
  readonly patterns: readonly string[]
  /** True if a path of the context is excluded. */
  ignores(path: string): boolean
}

/** Options of {@link lintDockerfile}. */
export interface LintDockerfileOptions extends EvaluateDockerfileOptions {
  /** Ignore file of the build context; without it the rule CopyIgnoredFile is not applied. */
  readonly ignore?: LintIgnoreRules
}

/** Result of {@link lintDockerfile}. */
export interface LintReport {
  /** Findings in the order of the file. */
  readonly findings: readonly LintFinding[]
  /** True if the Dockerfile asks that warnings fail the build (`# check=error=true`), and there are some. */
  readonly failsBuild: boolean
  /** Error of the evaluation; rules that need the evaluation were not applied then. */
  readonly error?: DockerfileError
}
