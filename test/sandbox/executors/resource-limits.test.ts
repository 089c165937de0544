import { expect, test } from 'vitest'
import { jsonWithLimits, runtimeLimits } from '../../../lib/sandbox/executors/limits/resource-limits.ts'

test('a limit without end is the largest number of the runtime, and no other text of its config changes', () => {
  const rlimits = runtimeLimits([{ name: 'nofile', soft: 5, hard: 'unlimited' }])
  const json = jsonWithLimits({ hostname: 'RLIM_INFINITY', rlimits })
  expect(json).toBe(
    '{"hostname":"RLIM_INFINITY","rlimits":[{"type":"RLIMIT_NOFILE","soft":5,"hard":18446744073709551615}]}',
  )
})
