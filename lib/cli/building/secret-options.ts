import { lstat, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fieldsOf } from '../arguments/fields-of.ts'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Largest secret, as in BuildKit. */
const MOST_BYTES = 500 * 1024

type Environment = NodeJS.ProcessEnv

/**
 * Reads the secrets of `--secret id=ID[,src=FILE|,env=NAME]`, with docker's meaning: without a source, the value of the
 * variable ID, else the file ID. A variable that is not set gives no secret.
 */
export async function secretsOf(
  options: readonly string[] = [],
  env: Environment,
): Promise<Record<string, string | Uint8Array>> {
  const secrets: Record<string, string | Uint8Array> = {}
  for (const option of options) {
    const fields = fieldsOf('--secret', option, ['id', 'src', 'source', 'env', 'type'])
    const source = fields.get('src') ?? fields.get('source')
    const id = fields.get('id')
    if (!id) throw new UsageError(`--secret takes id=ID,src=FILE or id=ID,env=NAME, not ${option}`)
    const value = await secretOf(id, { source, variable: fields.get('env'), type: fields.get('type') }, env)
    if (value !== undefined) secrets[id] = value
  }
  return secrets
}

interface SecretSource {
  readonly source: string | undefined
  readonly variable: string | undefined
  readonly type: string | undefined
}

async function secretOf(id: string, { source, variable, type }: SecretSource, env: Environment) {
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw new UsageError(`--secret ${id}: the type is file or env, not ${type}`)
  }
  if (source !== undefined && type !== 'env') return fileOf(id, source)
  const name = variable ?? source
  if (name !== undefined || type === 'env') return env[name ?? id]
  return type === undefined && env[id] !== undefined ? env[id] : fileOf(id, id)
}

async function fileOf(id: string, path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > MOST_BYTES) throw new UsageError(`--secret ${id}: ${path} has over ${MOST_BYTES} bytes`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw fileFault(`--secret ${id}`, path, error)
  }
}

/**
 * Finds the sockets of `--ssh ID[=SOCKET]`. Without a socket it is that of `SSH_AUTH_SOCK`.
 *
 * Keys in files are not taken: a step would need an agent in this process.
 */
export async function sshAgentsOf(options: readonly string[] = [], env: Environment): Promise<Record<string, string>> {
  const agents: Record<string, string> = {}
  for (const option of options) {
    const equals = option.indexOf('=')
    const id = equals < 0 ? option : option.slice(0, equals)
    const path = equals < 0 ? env.SSH_AUTH_SOCK : option.slice(equals + 1)
    if (!id) throw new UsageError(`--ssh takes default or ID=SOCKET, not ${option}`)
    if (!path)
      throw new UsageError(`--ssh ${id} needs an agent: start ssh-agent, or name its socket: --ssh ${id}=SOCKET`)
    agents[id] = await socketAt(id, path)
  }
  return agents
}

async function socketAt(id: string, path: string): Promise<string> {
  const stats = await lstat(path).catch(() => undefined)
  if (!stats) throw new UsageError(`--ssh ${id}: there is no socket ${path}`)
  const target = stats.isSymbolicLink() ? await stat(path).catch(() => stats) : stats
  if (target.isSocket()) return resolve(path)
  throw new UsageError(`--ssh ${id}: ${path} is no socket of an agent; add keys to ssh-agent with ssh-add`)
}
