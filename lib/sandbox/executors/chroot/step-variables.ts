import { shellWord } from '../process/shell-word.ts'

/**
 * Names that a shell can export. It has some of its own that cannot be set, or not to every text: dash ends with an
 * error at `OPTIND=x`.
 */
const EXPORTABLE =
  /^(?!(?:UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_VERSINFO|OPTIND|LINENO|RANDOM|PWD|OLDPWD|SHLVL|_)$)[A-Za-z_]\w*$/
/** Variables that a shell sets by itself. */
const OF_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_']

/**
 * Returns the text of a shell that exports variables, and makes the others the arguments of the shell, for `env`.
 *
 * The text is not on a command line, which other users see. What `env` gets is on one until `env` becomes the next
 * program.
 */
export function stepVariables(environment: readonly string[]): string {
  const last = new Map(environment.map(variable => [variable.slice(0, variable.indexOf('=')), variable]))
  const exports: string[] = []
  const words: string[] = []
  for (const [name, variable] of last) {
    if (EXPORTABLE.test(name)) exports.push(`export ${name}=${shellWord(variable.slice(name.length + 1))}`)
    else words.push(variable)
  }
  const unset = OF_SHELL.filter(name => !last.has(name)).flatMap(name => ['-u', name])
  return [...exports, `set -- ${[...unset, '--', ...words].map(shellWord).join(' ')}`].join('\n')
}
