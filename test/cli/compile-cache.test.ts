import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import * as module from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CliProcesses, cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let home: ReturnType<typeof temporaryDirectory>
let processes: CliProcesses
beforeEach(() => {
  home = temporaryDirectory('compile-cache')
  processes = cliProcesses(home.path, join(home.path, 'store'))
})
afterEach(() => home[Symbol.dispose]())

const canCache = 'enableCompileCache' in module

async function version(env: Record<string, string> = {}): Promise<string> {
  const started = processes.start(['--version'], { env })
  expect(await started.ended).toBe(0)
  return started.text.stdout + started.text.stderr
}

test('the compiled code is kept in the cache folder of the user, by a Node that can', async () => {
  expect(await version()).toBe('9.9.9\n')
  const kept = join(home.path, '.cache/layerstore/node')
  expect(existsSync(kept)).toBe(canCache)
  if (canCache) expect(readdirSync(kept, { recursive: true }).length).toBeGreaterThan(10)
})

test('XDG_CACHE_HOME names the cache folder', async () => {
  mkdirSync(join(home.path, 'cache'))
  await version({ XDG_CACHE_HOME: join(home.path, 'cache') })
  expect(existsSync(join(home.path, 'cache/layerstore/node'))).toBe(canCache)
  expect(existsSync(join(home.path, '.cache'))).toBe(false)
})

test('nothing is kept if NODE_DISABLE_COMPILE_CACHE says so, or others may write to the directory', async () => {
  expect(await version({ NODE_DISABLE_COMPILE_CACHE: '1' })).toBe('9.9.9\n')
  expect(existsSync(join(home.path, '.cache'))).toBe(false)
  mkdirSync(join(home.path, 'open'))
  chmodSync(join(home.path, 'open'), 0o777)
  expect(await version({ XDG_CACHE_HOME: join(home.path, 'open') })).toBe('9.9.9\n')
  expect(readdirSync(join(home.path, 'open'))).toEqual([])
})

test.each(['.cache', '.cache/layerstore', '.cache/layerstore/node'])(
  'nothing is kept if others may write to %s',
  async path => {
    const directory = join(home.path, path)
    mkdirSync(directory, { recursive: true })
    chmodSync(directory, 0o777)
    expect(await version()).toBe('9.9.9\n')
    expect(readdirSync(directory)).toEqual([])
  },
)

test('no other user may write to the cache, whatever the umask', async () => {
  const umask = process.umask(0)
  try {
    await version()
  } finally {
    process.umask(umask)
  }
  expect(existsSync(join(home.path, '.cache/layerstore/node'))).toBe(canCache)
  if (!canCache) return
  const modes = ['.cache', '.cache/layerstore', '.cache/layerstore/node'].map(
    path => statSync(join(home.path, path)).mode,
  )
  expect(modes.map(mode => mode & 0o777)).toEqual([0o700, 0o700, 0o700])
  const [kept] = readdirSync(join(home.path, '.cache/layerstore/node'))
  await version()
  expect(readdirSync(join(home.path, '.cache/layerstore/node'))).toEqual([kept])
})

test('an XDG_CACHE_HOME that is no absolute path is ignored', async () => {
  await version({ XDG_CACHE_HOME: '.' })
  expect(existsSync(join(home.path, '.cache/layerstore/node'))).toBe(canCache)
})

test('a home directory that does not exist costs only the cache', async () => {
  expect(await version({ HOME: join(home.path, 'none') })).toBe('9.9.9\n')
  expect(existsSync(join(home.path, 'none'))).toBe(false)
})
