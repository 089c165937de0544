import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { endWith, keepRunning } from '../helpers/keep-running.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const isLinux = process.platform === 'linux' && needsProgram('timeout')

test.runIf(isLinux)('programs that test files share end with the run, also if it is killed', async () => {
  using directory = temporaryDirectory('engine')
  const engine = join(directory.path, 'engine')
  mkdirSync(engine)
  const run = spawn('sleep', ['60'], { stdio: 'ignore' })
  endWith(run.pid!, engine)
  // One that does not end when it is asked to.
  keepRunning(join(engine, 'log'), 'sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done', engine])
  const pid = Number(readFileSync(join(engine, 'processes'), 'utf8'))
  await expect.poll(() => readFileSync(join(engine, 'log'), 'utf8')).toContain('ready')
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  run.kill('SIGKILL')
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
})
