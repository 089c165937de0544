import { quoted } from '../document/dockerfile-fault.ts'
import type { DockerfileDocument } from '../document/document.ts'
import type { Scope } from './scope.ts'

/**
 * Refuses `# syntax=` of another front end. Every release of docker/dockerfile, also from a mirror, is this language.
 */
export function refuseOtherFrontEnds({ directives }: DockerfileDocument, scope: Scope): void {
  const syntax = directives.find(({ name }) => name === 'syntax')
  if (!syntax) return
  const image = syntax.value
    .split(/[ \t]/, 1)[0]!
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
  if (/(?:^|\/)docker\/dockerfile(?:-upstream)?$/.test(image)) return
  const message = `the front end ${quoted(syntax.value)} is not supported`
  scope.fail(syntax.position, message, { code: 'ERR_DOCKERFILE_UNSUPPORTED', hint: 'docker/dockerfile is built in' })
}
