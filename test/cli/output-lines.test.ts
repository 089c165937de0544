import { expect, test } from 'vitest'
import { OutputLines } from '../../lib/cli/building/output-lines.ts'

test('lines of a command are what a terminal shows in the end: no colours, tabs as blanks, the last state of a bar', () => {
  const output = new OutputLines()
  const lines = (text: string) => output.add('step', Buffer.from(text))
  expect(lines('\u001b[1;32mgreen\u001b[0m \u001b[2K\u001b]8;;https://x.test\u0007link\u001b]8;;\u0007\n')).toEqual([
    'green link',
  ])
  expect(lines('a\tb\n12345678\tc\r\n')).toEqual(['a       b', '12345678        c'])
  expect(lines('10 %\r50 %\r')).toEqual([])
  expect(lines('100 %\r\nrest\r')).toEqual(['100 %'])
  expect(output.end('step')).toEqual(['rest'])
})
