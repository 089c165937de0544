import type { RegistryClientOptions, RegistryHostOptions } from '../../registry/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import { certificateFolder } from './certificate-folders.ts'
import { readPem } from './read-pem.ts'
import { type RegistriesFile, type RegistrySettings, readRegistriesFile } from './registries-file.ts'
import { type MirrorOption, mirrorsOf, type RegistryOptions, tlsVerifyOf } from './registry-options.ts'

/**
 * Combines the settings of the registry client. For each registry an option of the command precedes `registries.json`,
 * which precedes the `certs.d` folders of podman and Docker; authorities and mirrors of all of them are used.
 *
 * @throws `UsageError` for an option or a file that cannot be used.
 */
export function clientSettings(
  options: RegistryOptions,
  env: NodeJS.ProcessEnv,
): Pick<RegistryClientOptions, 'hosts' | 'proxy' | 'ca' | 'allowedHosts'> {
  const { proxy } = options
  // SAFETY: the address may contain a password, so the error does not quote it.
  if (proxy !== undefined && !/^(none$|https?:\/\/[^/]|[^/:@]+(:\d+)?\/?$)/i.test(proxy)) {
    throw new UsageError('--proxy takes an http or https address, or none')
  }
  const file = readRegistriesFile(env)
  const given = givenSettings(options)
  const mirrors = mirrorsOf(options)
  return {
    hosts: registry => hostOptions(registry, { given, mirrors, file, env }),
    proxy: url => proxyFor(url, options.proxy, file),
    // A private authority has often signed the token service and the storage host of a registry too.
    ca: given.ca || file.ca ? [...(given.ca ?? []), ...(file.ca ?? [])] : undefined,
    allowedHosts: file.allowedHosts,
  }
}

function givenSettings(options: RegistryOptions): RegistrySettings {
  const { plainHttp, ca = [], cert, key } = options
  const tlsVerify = tlsVerifyOf(options)
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together')
  return {
    ...(plainHttp ? { plainHttp } : {}),
    ...(tlsVerify === undefined ? {} : { tlsVerify }),
    ...(ca.length > 0 ? { ca: ca.map(path => readPem(path, '--ca')) } : {}),
    ...(cert === undefined || key === undefined ? {} : { cert: readPem(cert, '--cert'), key: readPem(key, '--key') }),
  }
}

interface Settings {
  readonly given: RegistrySettings
  readonly mirrors: readonly MirrorOption[]
  readonly file: RegistriesFile
  readonly env: NodeJS.ProcessEnv
}

function hostOptions(registry: string, { given, mirrors, file, env }: Settings): RegistryHostOptions {
  const listed = inFile(registry, file)
  const folder = certificateFolder(registry, env)
  const { plainHttp, tlsVerify, concurrency } = { ...listed, ...given }
  const client = [given, listed, folder].find(({ cert }) => cert !== undefined)
  const authorities = [given, listed, folder].flatMap(({ ca = [] }) => ca)
  const asked = mirrors.filter(mirror => (mirror.registry ?? registry) === registry).map(({ location }) => location)
  const usesTls = tlsVerify !== undefined || authorities.length > 0 || client !== undefined
  return {
    // Loopback registries are reached without TLS by default; a setting about certificates says that this one has TLS.
    plainHttp: plainHttp ?? (usesTls ? false : undefined),
    insecure: tlsVerify === undefined ? undefined : !tlsVerify,
    ca: authorities.length > 0 ? authorities : undefined,
    cert: client?.cert,
    key: client?.key,
    concurrency,
    // A mirror that is named itself is asked as the registry only.
    mirrors: [...asked, ...(listed.mirrors ?? [])].filter(mirror => hostOf(mirror) !== registry),
  }
}

function inFile(registry: string, { registries }: RegistriesFile): RegistrySettings {
  return (Object.hasOwn(registries, registry) && registries[registry]) || {}
}

function hostOf(mirror: string | { readonly location: string }): string {
  return (typeof mirror === 'string' ? mirror : mirror.location).split('/')[0]!
}

/** Chooses the proxy of a request: the option, else that of the host in the file, else that of the file. */
function proxyFor(url: URL, option: string | undefined, file: RegistriesFile): string | false | undefined {
  if (option !== undefined) return option === 'none' ? false : option
  const port = url.protocol === 'http:' ? 80 : 443
  const names = [url.host, ...(url.port === '' ? [`${url.host}:${port}`] : [])]
  // Requests to Docker Hub go to another host than references name.
  if (url.hostname.endsWith('.docker.io')) names.push('docker.io')
  for (const name of names) {
    const { proxy } = inFile(name, file)
    if (proxy !== undefined) return proxy
  }
  return file.proxy
}
