import { dockerfileFault } from '../document/dockerfile-fault.ts'
import type { DockerfileDocument } from '../document/document.ts'
import { fileSettings } from './check-settings.ts'
import { lintDockerfile } from './lint-dockerfile.ts'
import type { LintDockerfileOptions } from './lint-report.ts'

/** Warnings that the error lists. */
const SHOWN = 10

/**
 * Fails for a Dockerfile that asks for it (`# check=error=true`, or the build argument `BUILDKIT_DOCKERFILE_CHECK`) and
 * has warnings. Without such a request nothing is checked.
 *
 * @throws {@link DockerfileError} `ERR_DOCKERFILE_CHECK` at the first warning.
 * @see {@link https://docs.docker.com/build/checks/#fail-build-on-check-violations | Docker: build checks}
 */
export function assertChecks(document: DockerfileDocument, options: LintDockerfileOptions): void {
  if (!fileSettings(document, options.buildArgs?.BUILDKIT_DOCKERFILE_CHECK).error) return
  const warnings = lintDockerfile(document, options).findings.filter(({ severity }) => severity === 'warning')
  const [first] = warnings
  if (!first) return
  const shown = warnings
    .slice(0, SHOWN)
    .map(({ rule, position, message }) => `${rule} (line ${position.line}): ${message}`)
  const more = warnings.length > SHOWN ? `; and ${warnings.length - SHOWN} more` : ''
  const message = `check=error=true, and there are ${warnings.length} warnings: ${shown.join('; ')}${more}`
  throw dockerfileFault(document, first.position, message, { code: 'ERR_DOCKERFILE_CHECK', hint: first.hint })
}
