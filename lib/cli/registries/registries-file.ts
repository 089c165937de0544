import { readFileSync, statSync } from 'node:fs'
import { devNull, homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isErrno } from '../../internal/errno.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import type { RegistryMirror } from '../../registry/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import { readPem } from './read-pem.ts'

/** Settings of one registry in `registries.json`, with the files that it names read. */
export interface RegistrySettings {
  readonly plainHttp?: boolean
  readonly tlsVerify?: boolean
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly mirrors?: readonly (string | RegistryMirror)[]
  readonly proxy?: string | false
  readonly concurrency?: number
}

/** Contents of `registries.json`. */
export interface RegistriesFile {
  readonly proxy?: string | false
  readonly ca?: readonly string[]
  readonly allowedHosts?: readonly string[]
  readonly registries: Readonly<Record<string, RegistrySettings>>
}

const MAX_BYTES = 1024 * 1024
/** Members of the document. */
const MEMBERS = ['proxy', 'ca', 'allowedHosts', 'registries']

/** Returns the path of the config file: `$LAYERSTORE_CONFIG`, else `registries.json` in the user's config folder. */
export function registriesPath(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (env.LAYERSTORE_CONFIG) return env.LAYERSTORE_CONFIG
  const home = env.HOME || homedir()
  const folder =
    platform === 'win32'
      ? env.APPDATA || join(home, 'AppData', 'Roaming')
      : platform === 'darwin'
        ? join(home, 'Library', 'Application Support')
        : env.XDG_CONFIG_HOME || join(home, '.config')
  return join(folder, 'layerstore', 'registries.json')
}

/**
 * Reads the config file. If it does not exist, there are no settings, unless `$LAYERSTORE_CONFIG` names it. Paths in it
 * are relative to its directory.
 *
 * @throws `UsageError` that names the file and the member.
 */
export function readRegistriesFile(env: NodeJS.ProcessEnv): RegistriesFile {
  const path = registriesPath(env)
  if (path === devNull) return { registries: {} }
  const bytes = readBounded(path)
  if (bytes === undefined) {
    if (env.LAYERSTORE_CONFIG) throw new UsageError(`LAYERSTORE_CONFIG names ${path}, which does not exist`)
    return { registries: {} }
  }
  return new Reader(path).file(parse(bytes, path))
}

function readBounded(path: string): Uint8Array | undefined {
  try {
    // SAFETY: reading a FIFO would block without end.
    const stat = statSync(path)
    if (!stat.isFile() || stat.size > MAX_BYTES) throw new UsageError(`${path} is not a file of up to 1 MiB`)
    return readFileSync(path)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
}

function parse(bytes: Uint8Array, path: string): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    // SAFETY: the parse error may quote the file, and a proxy in it may have a password.
    throw new UsageError(`${path} is not valid JSON`, { cause: (cause as Error).name })
  }
}

/** Validates the file. Unknown members are errors: a misspelt `tlsVerify` must not be ignored. */
class Reader {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  file(value: unknown): RegistriesFile {
    const { proxy, ca, allowedHosts, registries = {} } = this.#object(value, '', MEMBERS)
    const named = Object.entries(this.#object(registries, 'registries'))
    return {
      ...(proxy === undefined ? {} : { proxy: this.#proxy(proxy, 'proxy') }),
      ...(ca === undefined ? {} : { ca: this.#authorities(ca, 'ca') }),
      ...(allowedHosts === undefined ? {} : { allowedHosts: this.#hosts(allowedHosts, 'allowedHosts') }),
      registries: Object.fromEntries(named.map(([name, one]) => [name, this.#settings(one, `registries.${name}`)])),
    }
  }

  #settings(value: unknown, at: string): RegistrySettings {
    const read = {
      plainHttp: (one: unknown, where: string) => this.#boolean(one, where),
      tlsVerify: (one: unknown, where: string) => this.#boolean(one, where),
      ca: (one: unknown, where: string) => this.#authorities(one, where),
      cert: (one: unknown, where: string) => this.#pem(one, where),
      key: (one: unknown, where: string) => this.#pem(one, where),
      mirrors: (one: unknown, where: string) =>
        this.#list(one, where).map((each, i) => this.#mirror(each, `${where}[${i}]`)),
      proxy: (one: unknown, where: string) => this.#proxy(one, where),
      concurrency: (one: unknown, where: string) => this.#count(one, where),
    }
    const object = this.#object(value, at, Object.keys(read))
    const members = Object.entries(object).map(([name, one]) => [
      name,
      read[name as keyof typeof read](one, `${at}.${name}`),
    ])
    const settings = Object.fromEntries(members) as RegistrySettings
    if ((settings.cert === undefined) !== (settings.key === undefined)) this.#fail(at, 'needs cert and key together')
    return settings
  }

  #object(value: unknown, at: string, known?: readonly string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#fail(at, 'must be an object')
    const unknown = known && Object.keys(value).find(name => !known.includes(name))
    if (unknown !== undefined) {
      this.#fail(at === '' ? unknown : `${at}.${unknown}`, `is not a setting; known are ${known?.join(', ')}`)
    }
    return value as Record<string, unknown>
  }

  #list(value: unknown, at: string): readonly unknown[] {
    if (typeof value === 'string') return [value]
    return Array.isArray(value) ? value : this.#fail(at, 'must be a text or a list')
  }

  #authorities(value: unknown, at: string): readonly string[] {
    return this.#list(value, at).map(file => this.#pem(file, at))
  }

  #hosts(value: unknown, at: string): readonly string[] {
    const hosts = this.#list(value, at)
    return hosts.map(host => (typeof host === 'string' ? host : this.#fail(at, 'must be a list of hosts')))
  }

  #boolean(value: unknown, at: string): boolean {
    return typeof value === 'boolean' ? value : this.#fail(at, 'must be true or false')
  }

  #count(value: unknown, at: string): number {
    const isCount = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 64
    return isCount ? (value as number) : this.#fail(at, 'must be a whole number from 1 to 64')
  }

  #proxy(value: unknown, at: string): string | false {
    return value === false || typeof value === 'string' ? value : this.#fail(at, 'must be an address, or false')
  }

  #pem(value: unknown, at: string): string {
    if (typeof value !== 'string') return this.#fail(at, 'must be the path of a PEM file')
    return readPem(resolve(dirname(this.#path), value), `${this.#path}: ${at}`)
  }

  #mirror(value: unknown, at: string): string | RegistryMirror {
    if (typeof value === 'string') return value
    const { location, sendOrigin, byDigestOnly } = this.#object(value, at, ['location', 'sendOrigin', 'byDigestOnly'])
    if (typeof location !== 'string') return this.#fail(`${at}.location`, 'must be HOST[/PREFIX]')
    return {
      location,
      ...(sendOrigin === undefined ? {} : { sendOrigin: this.#boolean(sendOrigin, `${at}.sendOrigin`) }),
      ...(byDigestOnly === undefined ? {} : { byDigestOnly: this.#boolean(byDigestOnly, `${at}.byDigestOnly`) }),
    }
  }

  #fail(at: string, why: string): never {
    throw new UsageError(`${this.#path}: ${at || 'the document'} ${why}`)
  }
}
