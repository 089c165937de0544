import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PassedSignals } from '../../lib/cli/running/pass-signals.ts'
import { needsProgram } from '../helpers/needs-program.ts'

// Linux, whose /proc tells which signals a process handles.
const able = [needsProgram('bwrap'), needsProgram('sh')].every(Boolean)

type Terminal = ConstructorParameters<typeof PassedSignals>[0]

/** A shell that handles SIGTERM, and no other signal. */
let shell: ReturnType<typeof spawn>
beforeEach(async () => {
  shell = spawn('sh', ['-c', 'trap : TERM; echo up; read line'], { stdio: ['pipe', 'pipe', 'ignore'] })
  await once(shell.stdout!, 'data')
})
afterEach(async () => {
  shell.kill('SIGKILL')
  await once(shell, 'close')
})

describe.skipIf(!able)('a signal to a process whose number is told late', () => {
  function started() {
    let send: (name: NodeJS.Signals) => void = () => {}
    const takeSignals: Terminal['takeSignals'] = listener => {
      send = listener
      return { [Symbol.dispose]: () => {} }
    }
    const passed = new PassedSignals({ takeSignals } as Terminal)
    const got: NodeJS.Signals[] = []
    let pid: number | undefined
    passed.onStart({ kill: name => void got.push(name), pid: () => pid })
    const tell = () => {
      pid = shell.pid
    }
    return { passed, got, send: (name: NodeJS.Signals) => send(name), tell }
  }

  test('is passed on if the process handles it', async () => {
    const { passed, got, send, tell } = started()
    using _ = passed
    send('SIGTERM')
    tell()
    await expect.poll(() => got).toEqual(['SIGTERM'])
    expect(passed.exitCodeOf(9)).toBe(9)
  })

  test('kills the process if it does not handle it', async () => {
    const { passed, got, send, tell } = started()
    using _ = passed
    send('SIGUSR1')
    tell()
    await expect.poll(() => got).toEqual(['SIGKILL'])
    expect(passed.exitCodeOf(137)).toBe(138)
  })

  test('kills the process at once if it is the second', () => {
    const { passed, got, send } = started()
    using _ = passed
    send('SIGTERM')
    expect(got).toEqual([])
    send('SIGTERM')
    expect(got).toEqual(['SIGKILL'])
    expect(passed.exitCodeOf(137)).toBe(143)
  })
})
