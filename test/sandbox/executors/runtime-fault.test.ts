import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runtimeFault } from '../../../lib/sandbox/executors/runc/runtime-fault.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const line = (level: string, msg: string) => `${JSON.stringify({ level, msg, time: '2026-11-30T00:00:00Z' })}\n`

test('an error in the log of runc counts only if the process was not started', async () => {
  using place = temporaryDirectory('runtime-fault')
  const [log, pid] = [join(place.path, 'log'), join(place.path, 'pid')]
  const fault = () => runtimeFault(log, pid, { args: ['make'] })
  expect(await fault()).toBeUndefined()
  writeFileSync(log, line('warning', 'odd'))
  expect(await fault()).toBeUndefined()
  writeFileSync(log, line('error', 'unable to remove the group') + line('warning', 'odd'))
  expect(await fault()).toMatchObject({
    code: 'ERR_SANDBOX_START',
    message: expect.stringContaining('runc did not start the process: unable to remove the group'),
  })
  writeFileSync(log, line('error', 'unable to start container process: exec: "make": permission denied'))
  expect(await fault()).toMatchObject({
    message: expect.stringContaining('could not be executed (permission denied)'),
  })
  writeFileSync(pid, '17')
  expect(await fault()).toBeUndefined()
})
