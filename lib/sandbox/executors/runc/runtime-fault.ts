import { access, readFile } from 'node:fs/promises'
import { SandboxError } from '../../../errors/index.ts'
import type { ProcessSpec } from '../executor.ts'
import { programFault } from '../view/assert-program.ts'

/**
 * Resolves to the error if runc could not start the process; it writes why to its own log.
 *
 * Runc writes the pid as soon as the process runs. What it logs as an error after that, about a control group that
 * cannot be removed for example, is not about the process, whose exit code counts.
 *
 * @param log - Path of the log, in the format `json`.
 * @param pid - Path of the file with the pid.
 */
export async function runtimeFault(
  log: string,
  pid: string,
  { args }: Pick<ProcessSpec, 'args'>,
): Promise<SandboxError | undefined> {
  if (await isThere(pid)) return undefined
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(line => line !== '')
  const messages = lines.flatMap(line => {
    const { level, msg } = JSON.parse(line) as { level: string; msg: string }
    return level === 'error' ? [msg] : []
  })
  const message = messages.at(-1)
  if (message === undefined) return undefined
  const start = /unable to start container process: exec:? ?(?:"[^"]*": |\S+: )?(?<reason>.+)$/.exec(message)
  if (start) return programFault(args[0] ?? '', `could not be executed (${start.groups?.reason})`)
  return new SandboxError('ERR_SANDBOX_START', `runc did not start the process: ${message}`)
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
