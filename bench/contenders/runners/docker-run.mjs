import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { measureCommand } from '../../harness/measure/measure-command.mjs'
import { daemonSeconds, dockerEngine, engineScript as script, engineTree as tree } from '../builders/docker-engine.mjs'
import { BASE, IMAGE } from './names.mjs'

const PLACE = '/tmp/layerstore-bench-run'

/** The Docker Engine with BuildKit and runc. Its processor time is that of the client and of the daemon. */
export const dockerRun = {
  name: 'docker build',
  available: dockerEngine.available,
  version: dockerEngine.version,
  builder({ baseTar }) {
    if (!existsSync(tree + PLACE)) {
      mkdirSync(tree + PLACE)
      cpSync(baseTar, join(tree + PLACE, 'base.tar'))
      docker('import', join(PLACE, 'base.tar'), BASE)
    }
    return { build, read }
  },
}

async function build(context) {
  const place = join(PLACE, basename(context))
  if (!existsSync(tree + place)) cpSync(context, tree + place, { recursive: true })
  const before = daemonSeconds()
  const words = ['docker', 'build', '-q', '--network=host', '--no-cache', '-t', IMAGE, place]
  const measured = await measureCommand([script, 'exec', ...words])
  // The memory of a daemon that runs all day tells nothing of one build.
  return { ...measured, cpuSeconds: measured.cpuSeconds + daemonSeconds() - before, peakBytes: undefined }
}

function read(path) {
  const container = docker('create', IMAGE, '/none').trim()
  try {
    const words = ['-o', 'pipefail', '-c', '"$0" exec docker cp "$1:/$2" - | tar -xO', script, container, path]
    return execFileSync('bash', words, { encoding: 'utf8' })
  } finally {
    docker('rm', container)
  }
}

function docker(...words) {
  return execFileSync(script, ['exec', 'docker', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Removes what the builds have left. */
export function clearDockerRun() {
  if (dockerEngine.available() || !existsSync(tree + PLACE)) return
  rmSync(tree + PLACE, { recursive: true, force: true })
  for (const image of [IMAGE, BASE]) {
    try {
      docker('image', 'rm', '-f', image)
    } catch {
      // The build has failed, and there is no image.
    }
  }
}
