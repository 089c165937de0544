export const DOCKER_HUB = 'docker.io'
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/** Key under which docker and credential helpers keep a registry. */
export function serverKey(registry: string): string {
  return registry === DOCKER_HUB ? DOCKER_HUB_KEY : registry
}

/** Keys under which tools keep a registry: its name, and the URLs that older versions of docker wrote. */
export function keysOf(registry: string): readonly string[] {
  const hosts = registry === DOCKER_HUB ? [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'] : [registry]
  const keys = hosts.flatMap(host => [host, ...['', '/', '/v1/', '/v2/'].map(path => `https://${host}${path}`)])
  return registry === DOCKER_HUB ? [DOCKER_HUB_KEY, ...keys] : keys
}
