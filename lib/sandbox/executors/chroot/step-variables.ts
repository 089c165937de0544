import { shellWord } from '../process/shell-word.ts'

/** Variables that make programs of this machine load code or data from other files. */
const LOADER = /^(LD_.*|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH)$/
/** Names that a shell can export; it has some of its own that cannot be set. */
const EXPORTABLE = /^(?!(?:UID|EUID|PPID|SHELLOPTS|BASHOPTS|PWD|OLDPWD|SHLVL|_)$)[A-Za-z_][A-Za-z0-9_]*$/
/** Variables that a shell sets by itself. */
const OF_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_']

/** Variables of a process, by the way in which they get to it. */
export interface StepVariables {
  /** Shell text that exports those that programs of this machine may have. */
  readonly exports: string
  /** Arguments of `env` for those that a shell cannot export. */
  readonly words: readonly string[]
  /** Those that only programs of the root filesystem may have. */
  readonly inside: readonly string[]
}

/**
 * Divides the variables of a process.
 *
 * SAFETY: the last program of this machine before the process gets its variables. `LD_PRELOAD` of an image would make
 * it load a library as root, outside of the root filesystem of the process.
 */
export function stepVariables(environment: readonly string[]): StepVariables {
  const last = new Map(environment.map(variable => [variable.slice(0, variable.indexOf('=')), variable]))
  const exports: string[] = []
  const words: string[] = []
  const inside: string[] = []
  for (const [name, variable] of last) {
    if (LOADER.test(name)) inside.push(variable)
    else if (EXPORTABLE.test(name)) exports.push(`export ${name}=${shellWord(variable.slice(name.length + 1))}\n`)
    else words.push(variable)
  }
  const unset = OF_SHELL.filter(name => !last.has(name)).flatMap(name => ['-u', name])
  return { exports: exports.join(''), words: [...unset, ...words], inside }
}
