import { shellWord } from '../process/shell-word.ts'

/** Variables that make programs of this machine load code or data from other files. */
const LOADER = /^(LD_[A-Za-z0-9_]+|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH)=/
/** Variable that carries them through the programs of this machine. */
const CARRIER = 'layerstore_inside'
/** A shell of the image sets the variables, and becomes the program. */
const EXPORT = `eval "$${CARRIER}"; unset ${CARRIER}; exec "$@"`

/** A command and its variables, with those of the loader set by a shell of the image. */
export interface InsideCommand {
  readonly args: readonly string[]
  /** Variables that programs of this machine may have. */
  readonly environment: readonly string[]
}

/**
 * Moves variables of the loader behind the last program of this machine: a shell of the image sets them. Other users
 * see no value, as it is in a variable.
 *
 * SAFETY: programs of this machine that change user and root run as root, and have the variables of the process.
 * `LD_PRELOAD` of an image would make them load a library of the image, outside of the user that the image names.
 */
export function loaderVariablesInside({ args, environment }: InsideCommand): InsideCommand {
  const inside = environment.filter(variable => LOADER.test(variable))
  if (inside.length === 0) return { args, environment }
  const text = inside.map(variable => `export ${assignment(variable)}`).join('\n')
  return {
    args: ['/bin/sh', '-c', EXPORT, 'sh', ...args],
    environment: [...environment.filter(variable => !LOADER.test(variable)), `${CARRIER}=${text}`],
  }
}

function assignment(variable: string): string {
  const end = variable.indexOf('=') + 1
  return variable.slice(0, end) + shellWord(variable.slice(end))
}
