import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { barChart } from '../../lib/cli/benching/bar-chart.ts'
import { assertEqualRuns, measureRounds } from '../../lib/cli/benching/measure-rounds.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/** A directory with two equal files, and a store with two images that share one. */
async function setUp() {
  const place = temporaryDirectory('bench')
  const [dist, store, temp] = ['dist', 'store', 'temp'].map(name => join(place.path, name)) as [string, string, string]
  mkdirSync(dist)
  mkdirSync(temp)
  const bytes = mixedBytes(300_000)
  for (const name of ['a.bin', 'b.bin']) writeFileSync(join(dist, name), bytes)
  await using opened = await openStore(store)
  await sampleImage(opened, [{ a: bytes }, { one: '1' }], { name: 'app:1' })
  await sampleImage(opened, [{ a: bytes }, { two: '2' }], { name: 'app:2' })
  return { place, dist, store, temp }
}

describe('bench', () => {
  test('measures digests, layers and deduplication of a directory, with every sample', async () => {
    const { place, dist, store } = await setUp()
    using _ = place
    const { code, stdout } = await cli(['bench', dist, '--rounds', '2', '--bytes', '100kB', '--json'], { store })
    const report = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(report).toMatchObject({ version: 1, rounds: 2, inputs: [{ name: dist, kind: 'directory' }] })
    expect(report.machine).toMatchObject({ cores: expect.any(Number), node: process.version, load: expect.any(Number) })
    const [hash, layer, dedup] = report.cases
    expect(hash).toMatchObject({ part: 'hash', bytes: 100_000 })
    expect(hash.rows.map(({ label }: { label: string }) => label)).toEqual([
      ...['native, 4 KiB', 'native, 64 KiB', 'native, 1 MiB', 'wasm, 4 KiB', 'wasm, 64 KiB', 'wasm, 1 MiB'],
    ])
    for (const { seconds } of hash.rows) {
      expect(seconds.samples).toHaveLength(2)
      expect(seconds.median).toBeCloseTo((seconds.samples[0] + seconds.samples[1]) / 2, 12)
    }
    expect(layer.rows.slice(0, 2)).toMatchObject([
      { label: 'none', keptBytes: layer.bytes },
      { label: 'gzip', keptBytes: expect.any(Number) },
    ])
    expect(layer.rows[1].keptBytes).toBeLessThan(layer.bytes)
    const kept = Object.fromEntries(dedup.rows.map(({ label, keptBytes }: never) => [label, keptBytes]))
    expect(kept['each file once']).toBeLessThan(kept['each layer once'] * 0.6)
    expect(kept['chunks of about 8 KiB']).toBeLessThan(kept['each layer once'] * 0.6)
  })

  test('measures images, prints tables, and leaves no file behind but the picture', async () => {
    const { place, store, temp } = await setUp()
    using _ = place
    const before = process.env.TMPDIR
    process.env.TMPDIR = temp
    try {
      const svg = join(place.path, 'bench.svg')
      const run = await cli(['bench', 'app:1', 'app:2', '--rounds', '1', '--only', 'dedup', '--svg', svg], { store })
      expect(run.code).toBe(0)
      expect(run.stdout).toMatch(/^.*, \d+ × .*, Node v.*, load [\d.]+\n/)
      expect(run.stdout).toMatch(/\neach image alone +- +- +\S+B +100\.0 %\n/)
      expect(run.stdout).toMatch(/\neach layer once +- +- +\S+B +5\d\.\d %\n/)
      expect(run.stderr).toBe('deduplication: warming up\ndeduplication: round 1 of 1\n')
      const picture = readFileSync(svg, 'utf8')
      expect(picture).toContain('layerstore bench app:1 app:2')
      expect(picture).toContain('prefers-color-scheme: dark')
      expect(picture.match(/class="bar"/g)).toHaveLength(6)
      expect(readdirSync(temp)).toEqual([])
    } finally {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    }
  })

  test.each([
    [['nothing-here:1'], 'ERR_REFERENCE_NOT_FOUND', 1],
    [['app:1', '--only', 'speed'], '--only takes hash, layer or dedup', 2],
    [['app:1', '--only', 'layer'], 'give a file or a directory', 2],
    [['app:1', '--rounds', '0'], '--rounds takes 1 to 1000', 2],
    [['app:1', '--bytes', '2GiB'], '--bytes takes at most 1GiB', 2],
    [['app:1', '--rounds', '1', '--only', 'hash', '--svg', '/nowhere/x.svg'], 'ERR_OUTPUT', 1],
  ])('bench %j fails with %s', async (args, text, code) => {
    const { place, store } = await setUp()
    using _ = place
    const run = await cli(['bench', ...args], { store })
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code, stderr: expect.stringContaining(text) })
  })
})

describe('rounds', () => {
  test('alternate, count none of the first, and drop a job that cannot be done', async () => {
    const ran: string[] = []
    let time = 0
    const job = (name: string) => async () => {
      ran.push(name)
      return ++time
    }
    const cannot = async () => ({ skipped: 'no' })
    const signal = new AbortController().signal
    const found = await measureRounds([job('a'), cannot, job('b')], 3, { signal, onRound: () => {} })
    expect(ran.join('')).toBe('baabbaab')
    expect(found).toEqual([
      { seconds: { median: 6, mad: 1, samples: [3, 6, 7] } },
      { skipped: 'no' },
      { seconds: { median: 5, mad: 1, samples: [4, 5, 8] } },
    ])
  })

  test('end when the command is stopped, and fail if the same work had two results', async () => {
    const stopped = AbortSignal.abort(new Error('SIGINT'))
    await expect(measureRounds([async () => 1], 1, { signal: stopped, onRound: () => {} })).rejects.toThrow('SIGINT')
    expect(() => assertEqualRuns('layers', new Set(['a', 'b']))).toThrow('the runs made different layers')
  })
})

test('a chart escapes names, and has a scale even without values', () => {
  const bars = [{ label: '<b>&"\u0007', value: 0, text: '0' }]
  const text = barChart({ title: 'a & b', panels: [{ title: 't', unit: 'MB/s', bars }], notes: [] })
  expect(text).toContain('&lt;b&gt;&amp;&quot;\ufffd')
  expect(text).toContain('aria-label="a &amp; b"')
  expect(text).not.toContain('NaN')
})
