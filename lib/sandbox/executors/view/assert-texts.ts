import { SandboxError } from '../../../errors/index.ts'
import type { ProcessSpec } from '../executor.ts'

/** Longest name of a variable in a message. */
const SHOWN = 80

/**
 * Rejects a process whose texts another program would read as something else.
 *
 * SAFETY: programs such as bubblewrap read options that a NUL separates, and `env` reads options before variables. A
 * config of an image with `A=x\0--bind\0/\0/host`, or a variable named `-S`, would add options of its own.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_START` that names the text, without the value of a variable.
 */
export function assertTexts(process: ProcessSpec): void {
  for (const [what, text] of textsOf(process)) {
    if (text?.includes('\0')) throw refused(`${what} contains a NUL character`)
  }
  for (const variable of process.environment) {
    const end = variable.indexOf('=')
    if (end < 0) throw refused('a variable is not NAME=value: it has no "="')
    if (end === 0) throw refused('a variable has an empty name')
    if (variable.startsWith('-')) throw refused(`the name of ${named(variable)} begins with "-"`)
  }
}

function textsOf(process: ProcessSpec): [what: string, text: string | undefined][] {
  const { root, args, environment, workdir, mounts, hostname, extraHosts = [], capabilities = [] } = process
  return [
    ['the root filesystem', root],
    ['the working directory', workdir],
    ['the host name', hostname],
    ...args.map((text, i): [string, string] => [i === 0 ? 'the program' : `argument ${i} of the program`, text]),
    ...environment.map((text): [string, string] => [named(text), text]),
    ...mounts.map((mount): [string, string] => ['the target of a mount', mount.target]),
    ...mounts.map((mount): [string, string] => ['the source of a mount', mount.type === 'bind' ? mount.source : '']),
    ...extraHosts.map(({ name, address }): [string, string] => ['a line of /etc/hosts', name + address]),
    ...capabilities.map((text): [string, string] => ['a capability', text]),
  ]
}

/** SAFETY: a text without "=" may be all value. */
function named(variable: string): string {
  if (!variable.includes('=')) return 'a variable'
  return `the variable ${JSON.stringify(variable.split('=', 1)[0]?.slice(0, SHOWN))}`
}

function refused(problem: string): SandboxError {
  return new SandboxError('ERR_SANDBOX_START', `${problem}: correct the config of the image, or the step`)
}
