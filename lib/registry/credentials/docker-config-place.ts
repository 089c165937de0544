import { homedir } from 'node:os'
import { join } from 'node:path'

/** Path of docker's config file, and its name in errors, which omits the home directory. */
export function dockerConfigPlace({ DOCKER_CONFIG, HOME }: NodeJS.ProcessEnv): { path: string; name: string } {
  if (DOCKER_CONFIG) return { path: join(DOCKER_CONFIG, 'config.json'), name: '$DOCKER_CONFIG/config.json' }
  return { path: join(HOME || homedir(), '.docker', 'config.json'), name: '~/.docker/config.json' }
}
