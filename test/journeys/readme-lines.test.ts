import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createMemoryStore, createRegistryClient, readImage } from '../../lib/index.ts'
import { freePort } from '../helpers/free-port.ts'
import { installPacked } from '../helpers/install-packed.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = resolve(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test.runIf(['sh', 'mkdir', 'npm', 'tar'].map(needsProgram).every(Boolean))(
  'the lines of the README lead from an empty folder with the packed package to an image in a registry',
  { timeout: 240_000 },
  async () => {
    using directory = temporaryDirectory('readme-lines')
    const folder = join(directory.path, 'user')
    mkdirSync(folder)
    installPacked(folder, directory.path)
    const hub = createMemoryStore()
    await sampleImage(hub, [{ 'bin/node': 'node' }], { name: 'library/node:22-slim', config: { Env: ['PATH=/bin'] } })
    await using mirror = await serveStore(hub)
    const port = await freePort()

    const [, block = ''] = /## From an empty folder[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme) ?? []
    const lines = block.trim().split('\n')
    expect(lines.at(-1)).toMatch(/^docker run /)
    const program = `"${process.execPath}" "${join(folder, 'node_modules/layerstore/dist/cli/main.js')}"`
    const typed = (line: string) =>
      line
        .replaceAll(/(localhost|127\.0\.0\.1):5000/g, `127.0.0.1:${port}`)
        .replace('npx layerstore copy', `npx layerstore copy --mirror docker.io=${mirror.host}`)
        .replace('npx layerstore', program)
    const env = { ...process.env, HOME: directory.path, LAYERSTORE_STORE: join(directory.path, 'images') }
    const shell = { cwd: folder, env, encoding: 'utf8' } as const
    const server = lines.findIndex(line => line.endsWith('&'))
    for (const line of lines.slice(0, server)) await promisify(execFile)('sh', ['-c', typed(line)], shell)
    const child = spawn('sh', ['-c', `exec ${typed(lines[server] ?? '').replace(/ &$/, '')}`], {
      ...shell,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    try {
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')])
      for (const line of lines.slice(server + 1, -1)) await promisify(execFile)('sh', ['-c', typed(line)], shell)
      await using registry = createRegistryClient()
      const image = await readImage(registry, `127.0.0.1:${port}/app:1.0`, { platform: 'linux/amd64' })
      expect(image.layers).toHaveLength(2)
      expect(image.config.config).toMatchObject({ Env: ['PATH=/bin'], Cmd: ['node', '/app/server.js'] })
    } finally {
      child.kill('SIGTERM')
      await once(child, 'close')
    }
  },
)
