import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWith } from './keep-running.ts'
import { ENGINES, RUN_PID } from './whole-run.ts'

/** Longest time that a test file waits for an engine that another one starts. */
const MOST_MS = 200_000

/**
 * Starts a set of programs once for all test files of a run: the first file that asks starts them, the others wait. The
 * end of the run ends each process that has the directory of the engine in its command line, and so does the end of a
 * run that was aborted.
 *
 * @param start - Starts the programs in an empty directory; resolves to the facts that tests need.
 */
export async function sharedEngine<T>(name: string, start: (directory: string) => Promise<T>): Promise<T> {
  const directory = join(tmpdir(), ENGINES, name)
  const [facts, failure] = [join(directory, 'facts.json'), join(directory, 'failure')]
  if (isFirst(directory)) {
    try {
      endWith(Number(process.env[RUN_PID]), directory)
      writeFileSync(`${facts}.new`, JSON.stringify(await start(directory)))
      renameSync(`${facts}.new`, facts)
    } catch (error) {
      writeFileSync(failure, String((error as Error).stack))
      throw error
    }
  }
  for (const end = Date.now() + MOST_MS; Date.now() < end; await sleep(50)) {
    if (existsSync(facts)) return JSON.parse(readFileSync(facts, 'utf8')) as T
    if (existsSync(failure)) throw new Error(`${name} did not start in another test file: ${readFileSync(failure)}`)
  }
  throw new Error(`${name} did not start within ${MOST_MS} ms`)
}

function isFirst(directory: string): boolean {
  mkdirSync(join(directory, '..'), { recursive: true })
  try {
    mkdirSync(directory)
    return true
  } catch {
    return false
  }
}
