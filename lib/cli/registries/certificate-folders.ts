import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isErrno } from '../../internal/errno.ts'
import { UsageError } from '../failing/usage-error.ts'
import { readPem } from './read-pem.ts'
import type { RegistrySettings } from './registries-file.ts'

/**
 * Reads the certificates that podman, skopeo and Docker use for a registry: `HOST[:PORT]/` in the first of these
 * folders that has it, with `*.crt` for authorities, `*.cert` and `*.key` for the client.
 *
 * @see {@link https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md | containers-certs.d}
 */
export function certificateFolder(registry: string, env: NodeJS.ProcessEnv): RegistrySettings {
  // SAFETY: a registry name is part of a path here.
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(registry) || registry.startsWith('.')) return {}
  const home = env.HOME || homedir()
  const folders = [join(home, '.config/containers/certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d']
  for (const folder of folders) {
    const names = list(join(folder, registry))
    if (names !== undefined) return read(join(folder, registry), names)
  }
  return {}
}

function list(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    // As podman does: a folder that is closed to this user does not count.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}

function read(folder: string, names: readonly string[]): RegistrySettings {
  const pem = (name: string) => readPem(join(folder, name), 'certs.d')
  const authorities = names.filter(name => name.endsWith('.crt'))
  const cert = names.find(name => name.endsWith('.cert'))
  const key = cert?.replace(/\.cert$/, '.key')
  if (cert !== undefined && !names.includes(key!)) throw new UsageError(`${folder}: ${cert} needs ${key} beside it`)
  return {
    ...(authorities.length > 0 ? { ca: authorities.map(pem) } : {}),
    ...(cert === undefined ? {} : { cert: pem(cert), key: pem(key!) }),
  }
}
