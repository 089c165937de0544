import { mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { dockerConfigPlace } from '../credentials/docker-config-place.ts'
import { readAuthFile } from '../credentials/read-auth-file.ts'

/** Docker's config file as data, with every member. */
export type DockerConfig = Record<string, unknown>

/**
 * Changes docker's config file; a missing one is created, readable by its owner only. Members that this library does
 * not know stay. The file is replaced as a whole; a link to it is followed, as configurations kept elsewhere need.
 *
 * @param change - Returns the new document, or `undefined` to change nothing.
 * @throws `UnusableCredentials` if the file cannot be read; the error of the system if it cannot be written.
 */
export async function changeDockerConfig(
  environment: NodeJS.ProcessEnv,
  change: (config: DockerConfig) => DockerConfig | undefined,
): Promise<void> {
  const { path, name } = dockerConfigPlace(environment)
  const before = await readAuthFile(path, name)
  const after = change({ ...before?.document })
  if (after === undefined) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const target = await realpath(path).catch(error => {
    if (isErrno(error, 'ENOENT')) return path
    throw error
  })
  // Docker writes tabs too, so that the two leave no difference but the entry.
  await writeFileAtomic(target, Buffer.from(`${JSON.stringify(after, undefined, '\t')}\n`), { mode: 0o600 })
}
