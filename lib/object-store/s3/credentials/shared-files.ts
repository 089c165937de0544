import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BucketError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'

/** Settings of one profile: names in lower case. */
export type Profile = Readonly<Record<string, string>>

/** Largest file of settings that is read. */
const MOST_BYTES = 1024 * 1024

/**
 * Reads the chosen profile of the files that the tools of AWS share: `~/.aws/credentials` and `~/.aws/config`, or those
 * that `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name. `AWS_PROFILE` chooses the profile. A setting of the
 * credentials file wins.
 *
 * @throws `BucketError` `ERR_BUCKET_CREDENTIALS` if a file cannot be read, or neither has the profile of `AWS_PROFILE`.
 */
export async function readSharedFiles(environment: NodeJS.ProcessEnv): Promise<Profile> {
  const folder = join(environment.HOME || homedir(), '.aws')
  const name = environment.AWS_PROFILE || 'default'
  const [credentials, config] = await Promise.all([
    readProfiles(environment.AWS_SHARED_CREDENTIALS_FILE || join(folder, 'credentials')),
    readProfiles(environment.AWS_CONFIG_FILE || join(folder, 'config')),
  ])
  const chosen = [config.get(name === 'default' ? 'default' : `profile ${name}`), credentials.get(name)]
  if (environment.AWS_PROFILE && !chosen.some(Boolean)) {
    throw new BucketError('ERR_BUCKET_CREDENTIALS', `no profile ${JSON.stringify(name)} in the shared files of AWS`)
  }
  return { ...chosen[0], ...chosen[1] }
}

async function readProfiles(path: string): Promise<Map<string, Record<string, string>>> {
  try {
    const bytes = await readFile(path)
    if (bytes.byteLength > MOST_BYTES) throw new Error(`larger than ${MOST_BYTES} bytes`)
    return parseProfiles(bytes.toString('utf8'))
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return new Map()
    const message = `cannot read ${path}: ${(cause as Error).message}`
    throw new BucketError('ERR_BUCKET_CREDENTIALS', message, undefined, { cause })
  }
}

/**
 * Parses sections (`[name]`) of lines `name = value`. Lines that begin with `#` or `;` are comments; indented lines
 * belong to the setting above them and are left out. Other lines have no meaning to any of the tools.
 */
export function parseProfiles(text: string): Map<string, Record<string, string>> {
  const profiles = new Map<string, Record<string, string>>()
  let current: Record<string, string> | undefined
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(.+?)\s*\]\s*(?:[#;].*)?$/.exec(line)
    if (section) {
      const name = section[1]!.replace(/\s+/g, ' ')
      current = profiles.get(name) ?? Object.create(null)
      profiles.set(name, current!)
      continue
    }
    const setting = /^([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    if (setting && current) current[setting[1]!.toLowerCase()] = setting[2]!.replace(/\s[#;].*$/, '').trimEnd()
  }
  return profiles
}
