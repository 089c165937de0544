import { assertChecks, type DockerfileDocument, evaluateDockerfile, parseDockerfile } from '../../dockerfile/index.ts'
import type { StageSource } from './stage-source.ts'

/** Options of {@link dockerfileStages}. */
export interface DockerfileStagesOptions {
  /** Name of the file in messages. @defaultValue `'Dockerfile'` */
  readonly file?: string | undefined
  /** Values of build arguments. */
  readonly buildArgs?: Readonly<Record<string, string | undefined>> | undefined
  /** Name of the stage to build. @defaultValue the last one */
  readonly target?: string | undefined
  /** Replacements for names in FROM, `--from` and mounts: references of other images. */
  readonly images?: Readonly<Record<string, string>> | undefined
}

/**
 * The stages of a Dockerfile, for `planBuild` and `buildImage`. Named contexts that the build is given take the place
 * of stages and images of their names.
 *
 * @example
 * ```ts
 * await buildImage(store, dockerfileStages(await readFile('Dockerfile', 'utf8')), { context: '.' })
 * ```
 *
 * @param dockerfile - The text, or the result of `parseDockerfile`.
 * @throws {@link DockerfileError} with place and code frame, at once for a malformed file, and when it is evaluated.
 */
export function dockerfileStages(
  dockerfile: string | DockerfileDocument,
  options: DockerfileStagesOptions = {},
): StageSource {
  const { file, buildArgs, target, images = {} } = options
  const document =
    typeof dockerfile === 'string' ? parseDockerfile(dockerfile, file === undefined ? {} : { file }) : dockerfile
  return {
    evaluate({ platform, contexts, bases }) {
      const named = contexts.map(name => [name, { context: name }] as const)
      const others = Object.entries(images).map(([name, reference]) => [name, { reference }] as const)
      const options = {
        bases,
        contexts: Object.fromEntries([...named, ...others]),
        ...(platform === undefined ? {} : { platform }),
        ...(buildArgs ? { buildArgs } : {}),
        ...(target === undefined ? {} : { target }),
      }
      const evaluated = evaluateDockerfile(document, options)
      if (evaluated.unresolved.length === 0) assertChecks(document, options)
      return { ...evaluated, dockerfile: { file: document.file, source: document.source } }
    },
  }
}
