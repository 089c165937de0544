import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { findProgram } from './find-program.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 1024 * 1024
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Request to a credential helper. */
export interface HelperRequest {
  /** Name of the helper in the auth file, not validated yet. */
  readonly helper: unknown
  /** Key of the registry at the helper. */
  readonly server: string
  readonly environment: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
  /** Time limit in milliseconds. @defaultValue 30 seconds */
  readonly timeoutMs?: number
}

/** Answer of a credential helper. */
export interface HelperAnswer {
  readonly program: string
  /** True if the helper ended with another exit status than 0. */
  readonly failed: boolean
  readonly output: string
}

/**
 * Runs `docker-credential-<name>`: `get` and `erase` read the key of the registry, `store` a JSON document.
 *
 * @throws `UnusableCredentials`, which names the helper and never quotes its output; the reason of the signal.
 * @see {@link https://github.com/docker/docker-credential-helpers | docker-credential-helpers}
 */
export async function callHelper(
  act: 'get' | 'store' | 'erase',
  input: string,
  request: HelperRequest,
): Promise<HelperAnswer> {
  const { helper, server, environment, signal } = request
  // SAFETY: the name becomes a file name and the server a line of the helper's input. A name with a slash could run any
  // program, and a server with a line break could ask for another registry.
  if (typeof helper !== 'string' || !NAME.test(helper)) throw new UnusableCredentials('invalid name of a helper')
  if (/[^\x21-\x7e]/.test(server)) throw new UnusableCredentials('invalid name of a registry')
  const program = `docker-credential-${helper}`
  const path = await findProgram(program, environment)
  if (path === undefined) throw new UnusableCredentials(`${program} is not on the search path`)
  signal?.throwIfAborted()
  const answer = await run(path, act, input, request)
  if (answer.failed && signal?.aborted) throw signal.reason
  return { program, ...answer }
}

function run(
  path: string,
  act: string,
  input: string,
  { environment: env, signal, timeoutMs = TIMEOUT_MS }: HelperRequest,
) {
  return new Promise<{ failed: boolean; output: string }>(resolve => {
    const options = {
      env,
      // SAFETY: the working directory may be untrusted, and a helper may load files from it.
      cwd: dirname(path),
      encoding: 'utf8',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      ...(signal ? { signal } : {}),
    } as const
    // SAFETY: the error of `execFile` quotes the program's output, which may contain secrets, so it is dropped.
    const child = execFile(path, [act], options, (error, stdout) => resolve({ failed: error !== null, output: stdout }))
    // A helper that exits before it reads its input causes EPIPE; its exit status tells the outcome.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
