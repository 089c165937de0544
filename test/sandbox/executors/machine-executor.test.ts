import { describe, expect, test } from 'vitest'
import { type Executor, machineExecutor, type ProcessSpec } from '../../../lib/sandbox/index.ts'
import { fakeExecutor } from '../../helpers/fake-executor.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const spec = { root: '/', args: ['x'] } as unknown as ProcessSpec
const broken = (name: string, reason?: string): Executor => ({
  ...fakeExecutor(() => 1),
  name,
  probe: async () => ({ works: false, reason }),
})

describe('the executor of a machine', () => {
  test('is the first one that works, and says why others do not', async () => {
    const second = { ...fakeExecutor(() => 7), name: 'second' }
    const executor = machineExecutor({ executors: [broken('first', 'not installed'), second, broken('third')] })
    expect(executor.name).toBe('first or second or third')
    expect(await executor.probe()).toEqual({
      works: true,
      passedOver: [{ name: 'first', reason: 'not installed' }],
    })
    expect(executor.name).toBe('second')
    expect(await executor.run(spec)).toEqual({ code: 7 })
    expect(second.ran).toEqual([spec])
  })

  test('is chosen by the first process if nobody asked before', async () => {
    const only = fakeExecutor(() => 3)
    expect(await machineExecutor({ executors: [broken('first'), only] }).run(spec)).toEqual({ code: 3 })
  })

  test('does not work if none does, with the reason of each', async () => {
    const executor = machineExecutor({ executors: [broken('first', 'not installed'), broken('second')] })
    const reason = 'first: not installed; second: it says no reason'
    expect(await executor.probe()).toMatchObject({ works: false, reason })
    const error = await thrownBy(() => executor.run(spec))
    expect(error).toMatchObject({ code: 'ERR_SANDBOX_NO_EXECUTOR', message: expect.stringContaining(reason) })
  })

  test('is one of this library by default', () => {
    expect(machineExecutor().name).toBe('bubblewrap or runc or chroot')
    expect(machineExecutor({ executors: ['runc'] }).name).toBe('runc')
  })
})
