import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { SandboxError } from '../../errors/index.ts'
import { type AbortOptions, abortable } from '../../internal/abort.ts'
import type { ThreadCode } from '../../internal/thread-code.ts'
import { findXattrPackage } from '../../internal/xattr-access.ts'
import { findSystemProgram } from '../executors/process/find-system-program.ts'
import { type IdRanges, readIdRanges } from './id-ranges.ts'
import { mapIds } from './map-ids.ts'

/** A running process in a user namespace. */
export interface SandboxProcess {
  readonly child: ChildProcess
  /** Whether the namespace has the ids of the user's ranges or one id. */
  readonly ids: 'range' | 'one'
  /** Message of the programs that map ids, if they refused the ranges. */
  readonly refusal?: string | undefined
}

/**
 * Enters the namespace, waits until its ids are mapped, then becomes Node. A killed parent ends it: `read` fails then.
 * Standard streams are those of this process, for processes that inherit them; messages go to 4, the permission to go
 * on comes from 5.
 */
const ENTER =
  'exec 6>&2 2>&4; exec "$0" --user --mount -- /bin/sh -c \'echo up >&4; read -r _ <&5 && exec "$@" 2>&6 4>&- 5<&- 6>&-\' sh "$@"'
/** Node becomes the code that it is sent: a command line could not hold it. */
const BECOME = `process.once('message', ({ text, file }) => {
  const module = { exports: {} }
  new Function('require', 'module', 'exports', '__filename', text)(require, module, module.exports, file ?? process.execPath)
})`

/**
 * Starts the process that lives in a user and mount namespace of its own, and in which stacks are mounted and executors
 * run. It ends with this process, also if this one is killed, and its mounts vanish with it.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_NO_EXECUTOR` if a program is missing; `ERR_SANDBOX_START` if the machine
 * refuses user namespaces.
 */
export async function startSandboxProcess({ signal }: AbortOptions): Promise<SandboxProcess> {
  const ranges = readIdRanges()
  if (ranges.users.length === 0) return { child: await start(ranges, signal), ids: 'one' }
  try {
    return { child: await start(ranges, signal), ids: 'range' }
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof SandboxError) || !error.message.startsWith('new')) throw error
    return { child: await start({ users: [], groups: [] }, signal), ids: 'one', refusal: error.message }
  }
}

async function start(ranges: IdRanges, signal: AbortSignal | undefined): Promise<ChildProcess> {
  signal?.throwIfAborted()
  const unshare = findSystemProgram('unshare')
  if (!unshare)
    throw new SandboxError('ERR_SANDBOX_NO_EXECUTOR', 'unshare is not installed: install the package util-linux')
  const { SANDBOX_PROCESS: code } = await import('./sandbox-process-code.ts')
  if (!code) throw new SandboxError('ERR_SANDBOX_START', 'the code of the sandbox process is not part of this program')
  const node = [process.execPath, ...nodeArguments(code)]
  const child = spawn('/bin/sh', ['-c', ENTER, unshare, ...node], {
    cwd: '/',
    // SAFETY: variables of this process may hold tokens; programs of an image must not find them in /proc.
    env: { TMPDIR: tmpdir() },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe', 'pipe'],
    serialization: 'advanced',
    // Ctrl-C at a terminal reaches a whole process group: this process decides what ends.
    detached: true,
  })
  try {
    await abortable(become(child, ranges, code), signal)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return child
}

function nodeArguments(code: ThreadCode): readonly string[] {
  return 'text' in code ? ['-e', BECOME] : [...process.execArgv, fileURLToPath(code.file)]
}

async function become(child: ChildProcess, ranges: IdRanges, code: ThreadCode): Promise<void> {
  const pipes: readonly unknown[] = child.stdio
  const [messages, permission] = [pipes[4] as Readable, pipes[5] as Writable]
  const said: Uint8Array[] = []
  const text = () => Buffer.concat(said).toString('utf8')
  const entered = new Promise<void>(resolve => {
    messages.on('data', (chunk: Uint8Array) => {
      said.push(chunk)
      if (text() === 'up\n') resolve()
    })
  })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', error => reject(notStarted(error.message, error)))
    child.once('close', () => reject(notStarted(text().trim())))
  })
  // Only one of the two is awaited at a time.
  failed.catch(() => {})
  permission.on('error', () => {})
  await Promise.race([entered, failed])
  await mapIds(child.pid as number, ranges)
  const ready = once(child, 'message')
  permission.end('\n')
  if ('text' in code) child.send({ text: code.text, file: findXattrPackage() })
  await Promise.race([ready, failed])
}

function notStarted(said: string, cause?: Error): SandboxError {
  const why = said === '' ? 'it said nothing' : said
  const message = `a process in a user namespace did not start (${why}): the machine may forbid them; look at the sysctls user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns`
  return new SandboxError('ERR_SANDBOX_START', message, { cause })
}
