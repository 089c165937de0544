import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import type { Credential } from './credential.ts'
import { findProgram } from './find-program.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 1024 * 1024
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** SPEC: this is how a helper says that it has nothing; there is no other sign. */
const NOT_FOUND = 'credentials not found in native keychain'

/** What to ask which helper. */
export interface HelperRequest {
  /** Name of the helper as the auth file has it; not checked yet. */
  readonly helper: unknown
  /** What the helper knows the registry by. */
  readonly server: string
  readonly environment: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
  /** How long it may take. @defaultValue 30 seconds */
  readonly timeoutMs?: number
}

/**
 * Asks `docker-credential-<name>`; `undefined` if it has nothing for the registry.
 *
 * @throws `UnusableCredentials`, naming the helper, never quoting it.
 * @see {@link https://github.com/docker/docker-credential-helpers | docker-credential-helpers}
 */
export async function runCredentialHelper(request: HelperRequest): Promise<Credential | undefined> {
  const { helper, server, environment, signal } = request
  // SAFETY: the name becomes a file name, and the server a line that the helper reads.
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
      // The working directory may be anyone's.
      cwd: dirname(path),
      encoding: 'utf8',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      ...(signal ? { signal } : {}),
    } as const
    // SAFETY: the error of `execFile` quotes what the program printed, so only the fact of it is kept.
    const child = execFile(path, ['get'], options, (error, stdout) =>
      resolve({ failed: error !== null, output: stdout }),
    )
    // A helper that ends before it has read its input has said all it will in its exit status.
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
    // SAFETY: the cause would quote the secret.
    return {}
  }
}
