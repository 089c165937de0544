import { mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AbortOptions } from '../../internal/abort.ts'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { withLock } from '../../internal/locks/lock.ts'
import { dockerConfigPlace } from '../credentials/docker-config-place.ts'
import { readAuthFile } from '../credentials/read-auth-file.ts'

/** Docker's config file as data, with every member. */
export type DockerConfig = Record<string, unknown>

/**
 * Changes docker's config file; a missing one is created, readable by its owner only. Members that this library does
 * not know stay. The file is replaced as a whole; a link to it is followed, as configurations kept elsewhere need.
 * Changes at the same time wait for each other, also those of other processes; docker itself takes no lock.
 *
 * @param change - Returns the new document, or `undefined` to change nothing. May be called twice.
 * @throws `UnusableCredentials` if the file cannot be read; the error of the system if it cannot be written.
 */
export async function changeDockerConfig(
  environment: NodeJS.ProcessEnv,
  change: (config: DockerConfig) => DockerConfig | undefined,
  { signal }: AbortOptions,
): Promise<void> {
  const { path, name } = dockerConfigPlace(environment)
  const changed = async () => change({ ...(await readAuthFile(path, name))?.document })
  // Nothing is created where nothing changes.
  if ((await changed()) === undefined) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const target = await realpath(path).catch(error => {
    if (isErrno(error, 'ENOENT')) return path
    throw error
  })
  const write = async () => {
    const after = await changed()
    if (after === undefined) return
    // Docker writes tabs too, so that the two leave no difference but the entry.
    await writeFileAtomic(target, Buffer.from(`${JSON.stringify(after, undefined, '\t')}\n`), { mode: 0o600 })
  }
  await withLock(`${target}.lock`, write, { signal })
}
