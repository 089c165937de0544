import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { placesForTests } from './places-for-tests.ts'

/** Name of the directory, in the temporary directory of a run, that its test files share; see `transpileLibrary`. */
export const SHARED = 'shared'
/** Name of the directory of programs that the test files of a run share; see `sharedEngine`. */
export const ENGINES = 'engines'
/** Variable with the id of the process that runs all test files. */
export const RUN_PID = 'LAYERSTORE_RUN_PID'

/**
 * Creates temporary directories for a run of the tests, and fails the run if a test leaves a file in one of them or a
 * process behind. Vitest calls this before the first test, and its result after the last.
 */
export default function setUp(): () => Promise<void> {
  const places = placesForTests()
  const directory = newDirectory(places.disk)
  const inMemory = places.memory === places.disk ? directory : newDirectory(places.memory)
  process.env.TMPDIR = directory
  process.env.LAYERSTORE_MEMORY = inMemory
  process.env[RUN_PID] = String(process.pid)
  // NODE: from 22.1 on, npm and others have Node write a cache of compiled code to the temporary directory.
  process.env.NODE_DISABLE_COMPILE_CACHE = '1'
  return async () => {
    await endEngines(directory)
    const processes = await processesLeft(directory)
    for (const { pid } of processes) process.kill(pid, 'SIGKILL')
    const left = processes.map(({ pid, command }) => `process ${pid}: ${command}`)
    for (const path of new Set([directory, inMemory])) {
      left.push(...readdirSync(path).filter(name => name !== SHARED && name !== ENGINES))
      rmSync(path, { recursive: true, force: true })
    }
    if (left.length > 0) throw new Error(`tests have left behind:\n${left.join('\n')}`)
  }
}

/** Ends the programs that test files share, and waits until they have ended. */
async function endEngines(directory: string): Promise<void> {
  const place = `${join(directory, ENGINES)}/`
  const running = () => processesOf(directory).filter(({ command }) => command.includes(place))
  for (const { pid } of running()) process.kill(pid, 'SIGKILL')
  for (let wait = 0; wait < 50 && running().length > 0; wait++) await sleep(20)
}

/** Socket paths must be short, and podman makes image names, which have no capitals, of paths. */
function newDirectory(parent: string): string {
  const path = join(parent, `ls-${randomBytes(4).toString('hex')}`)
  mkdirSync(path)
  // Some tests run as another user.
  chmodSync(path, 0o755)
  return path
}

/**
 * Finds processes that inherited the directory from a test and still run. Waits up to two seconds for those that are
 * ending.
 */
async function processesLeft(directory: string): Promise<{ pid: number; command: string }[]> {
  for (let wait = 0; ; wait++) {
    const left = processesOf(directory)
    if (left.length === 0 || wait === 20) return left
    await sleep(100)
  }
}

function processesOf(directory: string): { pid: number; command: string }[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap(pid => {
    try {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return []
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TMPDIR=${directory}`)) return []
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      return command.includes('vitest/dist/workers') ? [] : [{ pid: Number(pid), command }]
    } catch {
      // The process has ended, or belongs to another user.
      return []
    }
  })
}
