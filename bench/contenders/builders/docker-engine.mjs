import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../../harness/measure/measure-command.mjs'

/** Script that starts an engine in a directory tree and runs commands in it (`up`, `exec COMMAND`). */
const { DOCKER_ENGINE: script, DOCKER_ENGINE_DIR: tree = '/var/tmp/docker-engine' } = process.env

export { script as engineScript, tree as engineTree }

const TICKS_PER_SECOND = 100

/** The Docker Engine with BuildKit. Its processor time is that of the client and of the daemon. */
export const dockerEngine = {
  name: 'docker build',
  available: () => {
    if (!script) return 'no engine: DOCKER_ENGINE names a script that starts one'
    return existsSync(join(tree, 'run', 'd.pid')) ? undefined : `no engine runs: ${script} up`
  },
  version: () => `Docker Engine ${docker('version', '--format', '{{.Server.Version}}').trim()}`,
  async run(_job, { context, changed, label, noCache = false }) {
    const place = intoTree(context, changed, label)
    const image = `layerstore-bench/${label}`
    const before = daemonSeconds()
    const { stdout: _, ...measured } = await measureCommand([
      ...[script, 'exec', 'docker', 'build', '-q', '--network=host', '-t', image, place],
      ...(noCache ? ['--no-cache'] : []),
    ])
    const cpuSeconds = measured.cpuSeconds + daemonSeconds() - before
    // The memory of a daemon that runs all day tells nothing of one build.
    return { ...measured, cpuSeconds, peakBytes: undefined, outcome: outcomeOf(image, changed) }
  },
}

/** Copies a context into the tree of the engine, and later only the changed file; returns the path there. */
function intoTree(context, changed, label) {
  const place = join('/tmp', 'layerstore-bench', label)
  if (!existsSync(tree + place)) {
    mkdirSync(tree + place, { recursive: true })
    cpSync(context, tree + place, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  } else if (changed) writeFileSync(join(tree + place, changed), readFileSync(join(context, changed)))
  return place
}

function outcomeOf(image, changed) {
  const container = docker('create', image, '/none').trim()
  try {
    const listing = execFileSync(
      'bash',
      ['-o', 'pipefail', '-c', `"$0" exec docker export "$1" | tar -t`, script, container],
      {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      },
    )
    const paths = listing.split('\n').filter(line => line !== '' && !line.endsWith('/'))
    const read =
      changed &&
      execFileSync('bash', [
        ...['-o', 'pipefail', '-c', `"$0" exec docker cp "$1:/$2" - | tar -xO`, script, container, changed],
      ])
    return { paths: paths.filter(path => path.startsWith('tree/')).length, changed: read }
  } finally {
    docker('rm', container)
  }
}

function docker(...words) {
  return execFileSync(script, ['exec', 'docker', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Processor seconds that the daemon and the processes below it have used. */
export function daemonSeconds() {
  const daemon = Number(readFileSync(join(tree, 'run', 'd.pid'), 'utf8'))
  const ticks = [daemon, ...childrenOf(daemon)].map(pid => {
    const [, fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    // utime, stime and those of ended children; `fields` begins with the third field.
    return fields
      .split(' ')
      .slice(11, 15)
      .reduce((sum, field) => sum + Number(field), 0)
  })
  return ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND
}

function childrenOf(pid) {
  const said = execFileSync('bash', ['-c', `cat /proc/${pid}/task/*/children 2>/dev/null || true`], {
    encoding: 'utf8',
  })
  return said.split(' ').map(Number).filter(Boolean)
}

/** Removes what the builds have left. */
export function clearDockerEngine(labels) {
  if (dockerEngine.available()) return
  for (const label of labels) {
    rmSync(join(tree, 'tmp', 'layerstore-bench', label), { recursive: true, force: true })
    try {
      execFileSync(script, ['exec', 'docker', 'image', 'rm', '-f', `layerstore-bench/${label}`], { stdio: 'ignore' })
    } catch {
      // The build has failed, and there is no image.
    }
  }
}
