import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { barChart } from '../../bench/harness/report/bar-chart.mjs'
import { markdownOf, markdownTable } from '../../bench/harness/report/markdown-table.mjs'
import { drawScreens } from '../../bench/harness/report/terminal-picture.mjs'
import { replaceBetween } from '../../bench/harness/report/write-report.mjs'

const bench = resolve(import.meta.dirname, '../../bench')
const figure = (median: number, mad: number) => ({ median, mad, n: 3 })
const result = {
  name: 'sample',
  question: 'Is a < b & "c"?',
  command: 'npm run bench -- --only sample',
  environment: { date: '2026-11-21T00:00:00Z', commit: 'abc', cpu: 'CPU', cores: 2, node: 'v20', fileSystem: 'ext4' },
  cases: [
    {
      name: 'first',
      bytes: 5e6,
      columns: ['seconds', 'speed'],
      plot: 'seconds',
      contenders: [
        { label: 'ours', own: true, summary: { seconds: figure(1.5, 0.1), bytesPerSecond: figure(2e7, 1e6) } },
        { label: 'a|b <tool>', own: false, summary: { seconds: figure(3, 0), bytesPerSecond: figure(1e7, 0) } },
        { label: 'absent', own: false, skipped: 'absent is not installed' },
      ],
    },
    { name: 'second', skipped: 'not built yet', contenders: [] },
  ],
  claims: [{ text: 'faster', value: 2, atLeast: 1.8, met: true }],
}

describe('tables', () => {
  test('a table has one line for each row and escapes what would end a cell', () => {
    expect(markdownTable(['', 'n'], [['a|b', 1]])).toBe('|  | n |\n|---|--:|\n| a\\|b | 1 |')
  })

  test('a result shows medians with spread, reasons for what was skipped, and its claims', () => {
    const text = markdownOf(result)
    expect(text).toContain('**first** (5 MB; median ± MAD of 3 samples)')
    expect(text).toContain('| **ours** | 1.50 ± 0.10 | 20 |')
    expect(text).toContain('| absent | skipped: absent is not installed |  |')
    expect(text).toContain('**second**: skipped, not built yet')
    expect(text).toContain('| faster | 2.00 | ≥ 1.8 | yes |')
  })

  test('a table replaces what stands between its markers and nothing else', () => {
    const text = 'a <!-- results:x -->old<!-- /results:x --> b'
    expect(replaceBetween(text, 'x', 'new')).toBe('a <!-- results:x -->\nnew\n<!-- /results:x --> b')
    expect(() => replaceBetween(text, 'y', 'new')).toThrow('no markers for y')
  })

  test('the README has a place for every benchmark', () => {
    const names = [
      ...readdirSync(join(bench, 'macro')).flatMap(file => (/\.script\./.test(file) ? [] : [file.replace('.mjs', '')])),
      ...readdirSync(join(bench, 'micro')).map(file => `micro-${file.replace('.bench.mjs', '')}`),
    ]
    const readme = readFileSync(join(bench, 'README.md'), 'utf8')
    expect(names.filter(name => !readme.includes(`<!-- results:${name} -->`))).toEqual([])
    expect(names.filter(name => !readme.includes(`npm run bench -- --only ${name.replace('micro-', '')}`))).toEqual([])
  })
})

describe('plots', () => {
  test('a plot is well-formed XML with one bar for each contender measured', () => {
    const svg = barChart(result)
    expect(unclosedTags(svg)).toEqual([])
    expect(svg.match(/<rect x="250"/g)).toHaveLength(2)
    expect(svg).toContain('a|b &lt;tool&gt;')
    expect(svg).toContain('aria-label="Is a &lt; b &amp; &quot;c&quot;?"')
    expect(svg).toContain('npm run bench -- --only sample')
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('the longer time has the longer bar, in proportion', () => {
    const widths = [...barChart(result).matchAll(/<rect x="250" y="[\d.]+" width="([\d.]+)"/g)].map(match =>
      Number(match[1]),
    )
    expect(widths[1]! / widths[0]!).toBeCloseTo(2, 1)
  })
})

test('a screen of a terminal is drawn line by line, with its colours, and text from it cannot be markup', () => {
  const svg = drawScreens(
    ['$ pull <a>\n\u001b[32mdone\u001b[0m & \u001b[1;31mfailed\u001b[39m rest', 'x'],
    ['one', 'two'],
    20,
  )
  expect(unclosedTags(svg.replace(/<style>.*<\/style>/, ''))).toEqual([])
  expect(svg.match(/xml:space/g)).toHaveLength(3)
  expect(svg).toContain('<tspan>$ pull &lt;a&gt;</tspan>')
  expect(svg).toContain('<tspan fill="#8bd49c">done</tspan><tspan> &amp; </tspan>')
  expect(svg).toContain(
    '<tspan fill="#ff8a80" font-weight="bold">failed</tspan><tspan font-weight="bold"> rest</tspan>',
  )
})

/** Tags that were opened and not closed, or the other way round. */
function unclosedTags(xml: string): string[] {
  const open: string[] = []
  for (const [, closing, name, rest] of xml.matchAll(
    /<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<&]*(?:&\w+;[^"<&]*)*")*\s*\/?)>/g,
  )) {
    if (closing && open.at(-1) === name) open.pop()
    else if (closing) open.push(`/${name}`)
    else if (!rest!.endsWith('/')) open.push(name!)
  }
  const tags = xml.match(/<[^>]*>/g)?.length
  const understood = [...xml.matchAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*\s*\/?)>/g)].length
  return tags === understood ? open : [...open, 'malformed tag']
}
