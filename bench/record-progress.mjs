// Records what a terminal shows during a pull, and writes it as plots/progress.svg: node bench/record-progress.mjs
// Needs tmux, whose screen is the one that is drawn. The registry is one of this process, behind a link of 8 MB/s.
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { composeImage, createMemoryStore, createRegistryServer, fromFiles, writeLayer } from '../dist/index.js'
import { drawScreens } from './harness/report/terminal-picture.mjs'
import { withShapedLink } from './harness/servers/shaped-link.mjs'

const COLUMNS = 92
const BYTES_PER_SECOND = 8e6
const work = mkdtempSync(join(tmpdir(), 'layerstore-record-'))
const program = `'${process.execPath}' '${resolve(import.meta.dirname, '../dist/cli/main.js')}'`
const tmux = (...args) => execFileSync('tmux', ['-L', `record-${process.pid}`, ...args], { encoding: 'utf8' })

const server = createRegistryServer(await images())
try {
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' })
  await withShapedLink(`127.0.0.1:${port}`, BYTES_PER_SECOND, record)
} finally {
  await server.close()
  rmSync(work, { recursive: true, force: true })
}

/** Two releases: the second has the base of the first, and a new layer of code. */
async function images() {
  const store = createMemoryStore()
  const layer = async (path, size) => writeLayer(store, fromFiles({ [path]: randomBytes(size) }))
  const base = [await layer('usr/lib/base', 21e6)]
  const dependencies = [await layer('app/node_modules/all', 17e6), await layer('usr/bin/node', 11e6)]
  const older = await composeImage(store, { layers: base })
  const newer = await composeImage(store, { layers: [...base, ...dependencies, await layer('app/main.js', 4e5)] })
  await store.references.set('o/app:1.0', older.descriptor)
  await store.references.set('o/app:1.1', newer.descriptor)
  return store
}

async function record(host) {
  const registries = join(work, 'registries.json')
  writeFileSync(registries, JSON.stringify({ registries: { 'ghcr.io': { mirrors: [host] } } }))
  const env = `LAYERSTORE_CONFIG='${registries}' LAYERSTORE_STORE='${join(work, 'images')}'`
  await promisify(execFile)('sh', ['-c', `${env} ${program} pull ghcr.io/o/app:1.0 --quiet`])
  const typed = 'layerstore pull ghcr.io/o/app:1.1'
  const line = `printf '$ ${typed}\\n'; ${env} ${program} ${typed.slice('layerstore '.length)}; echo; sleep 60`
  tmux('new-session', '-d', '-x', String(COLUMNS), '-y', '16', 'sh', '-c', line)
  try {
    await screenWhen(screen => screen.trimEnd().includes('\n'))
    await setTimeout(1700)
    const during = tmux('capture-pane', '-p', '-e').trimEnd()
    const after = await screenWhen(screen => /^sha256:/m.test(screen))
    const path = join(import.meta.dirname, 'plots/progress.svg')
    const titles = ['while it moves', 'at the end']
    writeFileSync(path, drawScreens([during, after], titles, COLUMNS))
    console.log(`wrote ${path}`)
  } finally {
    tmux('kill-session')
  }
}

/** The screen as soon as a test of it passes, with its colours. */
async function screenWhen(test) {
  for (let tries = 0; tries < 400; tries++) {
    if (test(tmux('capture-pane', '-p'))) return tmux('capture-pane', '-p', '-e').trimEnd()
    await setTimeout(25)
  }
  throw new Error(`the terminal never showed it:\n${tmux('capture-pane', '-p')}`)
}
