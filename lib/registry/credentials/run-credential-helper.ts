import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import type { Credential } from './credential.ts'
import { findProgram } from './find-program.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 1024 * 1024
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** SPEC: a helper prints exactly this if it has no credentials; the exit status does not tell. */
const NOT_FOUND = 'credentials not found in native keychain'

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

/**
 * Runs `docker-credential-<name> get`; `undefined` if it has no credentials for the registry.
 *
 * @throws `UnusableCredentials`, which names the helper and never quotes its output.
 * @see {@link https://github.com/docker/docker-credential-helpers | docker-credential-helpers}
 */
export async function runCredentialHelper(request: HelperRequest): Promise<Credential | undefined> {
  const { helper, server, environment, signal } = request
  // SAFETY: the name becomes a file name and the server a line of the helper's input. A name with a slash could run any
  // program, and a server with a line break could ask for another registry.
  if (typeof helper !== 'string' || !NAME.test(helper)) throw new UnusableCredentials('invalid name of a helper')
  if (/[^\x21-\x7e]/.test(server)) throw new UnusableCredentials('invalid name of a registry')
  const program = `docker-credential-${helper}`
  const path = await findProgram(program, environment)
  if (path === undefined) throw new UnusableCredentials(`${program} is not on the search path`)
  signal?.throwIfAborted()
  const { failed, output } = await run(path, server, request)
  if (!failed) return parseOutput(output, program)
  if (signal?.aborted) throw signal.reason
  if (output.trim() === NOT_FOUND) return undefined
  throw new UnusableCredentials(`${program} failed`)
}

function run(path: string, server: string, { environment: env, signal, timeoutMs = TIMEOUT_MS }: HelperRequest) {
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
    const child = execFile(path, ['get'], options, (error, stdout) =>
      resolve({ failed: error !== null, output: stdout }),
    )
    // A helper that exits before it reads its input causes EPIPE; its exit status tells the outcome.
    child.stdin?.on('error', () => {})
    child.stdin?.end(server)
  })
}

function parseOutput(output: string, program: string): Credential | undefined {
  const { Username: username, Secret: secret } = parseObject(output)
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new UnusableCredentials(`${program} did not answer with Username and Secret`)
  }
  if (secret === '') return undefined
  return username === '<token>' ? { identityToken: secret } : { username, password: secret }
}

function parseObject(output: string): { Username?: unknown; Secret?: unknown } {
  try {
    return { ...(JSON.parse(output) as object) }
  } catch {
    // SAFETY: the parse error quotes the secret, so it is dropped.
    return {}
  }
}
