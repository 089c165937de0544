import type { DockerfileDocument, Position } from '../document/document.ts'
import { splitStages } from '../evaluate/stages/split-stages.ts'
import { descriptionIn } from './description-in.ts'

/** A stage of a Dockerfile that can be built. */
export interface DockerfileTarget {
  /** Name in lower case; absent for a stage without one. */
  readonly name?: string
  /** True for the last stage, which is built if no target is named. */
  readonly isDefault: boolean
  /** Text of the comment above the stage that begins with its name. */
  readonly description?: string
  /** Base as written: an image, a stage or `scratch`; variables are not expanded. */
  readonly base: string
  /** Value of `--platform`, as written. */
  readonly platform?: string
  /** Position of the FROM instruction. */
  readonly position: Position
}

/**
 * Lists the stages of a Dockerfile, in the order of the file, as `docker build --call=targets` does. Expands nothing,
 * so an invalid base or a cycle is no error here.
 *
 * @example
 * ```ts
 * const document = parseDockerfile(await readFile('Dockerfile', 'utf8'))
 * const names = listTargets(document).map(({ name }) => name)
 * ```
 */
export function listTargets(document: DockerfileDocument): readonly DockerfileTarget[] {
  const { stages } = splitStages(document)
  return stages.map(({ name, from }, i) => {
    const description = descriptionIn(from, name)
    const platform = from.flags.find(flag => flag.name === 'platform')?.value
    return {
      ...(name === undefined ? {} : { name }),
      isDefault: i === stages.length - 1,
      ...(description === undefined ? {} : { description }),
      base: from.words[0]!.text,
      ...(platform === undefined ? {} : { platform }),
      position: from.position,
    }
  })
}
