import { expect, test } from 'vitest'
import { parseStopSignal } from '../../../lib/sandbox/containers/process/parse-stop-signal.ts'

test.each([
  ['SIGTERM', 15],
  ['quit', 3],
  ['9', 9],
  ['SIGRTMIN+3', 37],
  ['RTMIN+3', 37],
  ['rtmin', 34],
  ['SIGRTMAX-2', 62],
  ['64', 64],
])('%s is signal %i', (text, number) => {
  expect(parseStopSignal(text)).toBe(number)
})

test.each(['', '0', '65', '-1', '1.5', 'SIGRTMIN+31', 'SIGRTMAX-31', 'RTMIN-1', 'RTMAX+1', 'SIGNONE', 'toString'])(
  '%j, which names no signal, is SIGTERM',
  text => {
    expect(parseStopSignal(text)).toBe(15)
  },
)
