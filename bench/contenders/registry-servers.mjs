import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { missing, versionOf } from '../harness/find-program.mjs'
import { USER } from '../harness/load/registry-user.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'
import { withLayerstoreServer } from '../harness/servers/layerstore-server.mjs'
import { runJob } from './run-job.mjs'

/** `layerstore serve`, as built in `input.library`. */
export const layerstoreServer = {
  name: 'layerstore serve',
  own: true,
  available: () => missing('htpasswd'),
  version: () => `Node ${process.version}`,
  run: (_, input) => underLoad(withLayerstoreServer, input),
}

/** docker-registry, the reference implementation of the protocol. */
export const dockerRegistry = {
  name: 'docker-registry',
  available: () => missing('docker-registry', 'htpasswd'),
  version: () => versionOf('docker-registry'),
  run: (_, input) => underLoad(withDockerRegistry, input),
}

/** The clients run in a process of their own; what is measured is the process of the server with its workers. */
function underLoad(withServer, { library, hasher, workers, scratch, size }) {
  const directory = `${scratch}/registry`
  const htpasswd = `${scratch}/htpasswd`
  mkdirSync(directory, { recursive: true })
  writeFileSync(htpasswd, execFileSync('htpasswd', ['-nbB', USER.name, USER.password]))
  const load = (host, pid) => runJob('registry-load', { host, pid, directory, size })
  return withServer(directory, load, { library, hasher, htpasswd, workers })
}
