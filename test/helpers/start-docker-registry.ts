import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** A running docker-registry without content. */
export interface DockerRegistry extends AsyncDisposable {
  /** Host and port, e.g. `127.0.0.1:40123`. */
  readonly host: string
  /** Ends the program and removes its files. */
  stop(): Promise<void>
}

/** Starts the docker-registry program on a free loopback port; with `htpasswd`, only that user has access. */
export async function startDockerRegistry(
  options: {
    readonly htpasswd?: { readonly username: string; readonly password: string }
    /** Further settings, as environment variables of the program. */
    readonly settings?: Readonly<Record<string, string>>
  } = {},
): Promise<DockerRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'layerstore-docker-registry-'))
  // Another process may take the free port before the program does: retry.
  for (let attempt = 0; ; attempt++) {
    const host = `127.0.0.1:${await freePort()}`
    const program = startProgram(directory, host, options.htpasswd, options.settings)
    if (await answers(program, host)) return running(program, host, directory)
    await end(program)
    if (attempt === 2) throw new Error('docker-registry did not start')
  }
}

function startProgram(
  directory: string,
  host: string,
  htpasswd: { username: string; password: string } | undefined,
  settings: Readonly<Record<string, string>> | undefined,
): ChildProcess {
  const config = join(directory, 'config.yml')
  writeFileSync(
    config,
    'version: 0.1\nlog:\n  level: error\nstorage:\n  delete:\n    enabled: true\n  filesystem: {}\n',
  )
  const auth: Record<string, string> = {}
  if (htpasswd) {
    const file = join(directory, 'htpasswd')
    writeFileSync(file, execFileSync('htpasswd', ['-Bbn', htpasswd.username, htpasswd.password]))
    Object.assign(auth, { REGISTRY_AUTH: 'htpasswd', REGISTRY_AUTH_HTPASSWD_REALM: 'test' })
    auth.REGISTRY_AUTH_HTPASSWD_PATH = file
  }
  return spawn('docker-registry', ['serve', config], {
    stdio: 'ignore',
    env: {
      ...process.env,
      ...auth,
      ...settings,
      REGISTRY_HTTP_ADDR: host,
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: join(directory, 'data'),
      OTEL_TRACES_EXPORTER: 'none',
    },
  })
}

async function answers(program: ChildProcess, host: string): Promise<boolean> {
  for (let waited = 0; waited < 10_000 && program.exitCode === null; waited += 50) {
    const status = await new Promise<number | undefined>(resolve => {
      const request = get(`http://${host}/v2/`, { agent: false }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      })
      request.on('error', () => resolve(undefined))
    })
    if (status === 200 || status === 401) return true
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return false
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return
  const exited = once(program, 'exit')
  program.kill('SIGKILL')
  await exited
}

function running(program: ChildProcess, host: string, directory: string): DockerRegistry {
  const stop = async () => {
    await end(program)
    rmSync(directory, { recursive: true, force: true })
  }
  return { host, stop, [Symbol.asyncDispose]: stop }
}
