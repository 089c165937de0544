import { describe, expect, test } from 'vitest'
import { runScenario } from '../../bench/harness/run-scenario.mjs'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

interface Job {
  library: string
  calls: number
}

/** A contender that takes a second and returns the result of `answer`. */
function contender(
  name: string,
  answer: (job: Job) => number,
  { own = false, available = () => undefined as unknown } = {},
) {
  let calls = 0
  const run = async (_job: string, { library }: Job) => {
    calls++
    return { wallSeconds: 1, outcome: answer({ library, calls }) }
  }
  return { contender: { name, own, available, version: () => '1', run } }
}

async function measure(entries: unknown[], settings = {}) {
  using directory = temporaryDirectory('bench')
  const common = { libraries: { here: '/lib' }, scratch: directory.path, smoke: false, maxRounds: 9, say: () => {} }
  const scenario = {
    name: 'sample',
    question: '?',
    claims: [{ text: 'ratio', of: (figure: (...a: string[]) => number) => figure('case', 'ours') / 2, atLeast: 0.6 }],
    measure: (bench: { compare(spec: unknown): Promise<void> }) =>
      bench.compare({
        name: 'case',
        job: 'job',
        input: {},
        columns: ['seconds'],
        rounds: 3,
        entries,
        check: (outcome: number) => {
          if (outcome !== 42) throw new Error(`wrong result ${outcome}`)
        },
      }),
  }
  return await runScenario(scenario, { ...common, ...settings })
}

const right = () => 42

describe('a comparison', () => {
  test('does not time what is wrong or absent, and says why', async () => {
    const { cases } = await measure([
      contender('ours', right, { own: true }),
      contender('wrong', () => 41),
      contender('wrong later', ({ calls }) => (calls < 3 ? 42 : 43)),
      contender('absent', right, { available: () => 'absent is not installed' }),
    ])
    expect(cases[0].contenders.map(({ skipped }: { skipped?: string }) => skipped)).toEqual([
      undefined,
      'failed: wrong result 41',
      'failed: wrong result 43',
      'absent is not installed',
    ])
    expect(cases[0].contenders[0].samples).toHaveLength(3)
    expect(cases[0].contenders[1].summary).toBeUndefined()
  })

  test('shows other columns of the same samples in tables of their own, and plots them once', async () => {
    using directory = temporaryDirectory('bench')
    const { cases } = await runScenario(
      {
        name: 'sample',
        question: '?',
        measure: (bench: { compare(spec: unknown): Promise<void> }) =>
          bench.compare({
            name: 'case',
            job: 'job',
            input: {},
            columns: ['seconds'],
            views: [{ name: 'other', columns: ['errors'] }],
            entries: [contender('ours', right, { own: true })],
            check: () => {},
          }),
      },
      { libraries: { here: '/lib' }, scratch: directory.path, smoke: true, maxRounds: 1, say: () => {} },
    )
    const shown = cases.map(({ name, columns, plot }: Record<string, unknown>) => [name, columns, plot])
    expect(shown).toEqual([
      ['case', ['seconds'], undefined],
      ['other', ['errors'], false],
    ])
    expect(cases[1].contenders[0].summary).toEqual(cases[0].contenders[0].summary)
    expect(cases[1].contenders[0].samples).toBeUndefined()
  })

  test('fails when this library gives a wrong result', async () => {
    await expect(measure([contender('ours', () => 41, { own: true })])).rejects.toThrow('wrong result 41')
  })

  test('of two builds runs this library alone, once with each', async () => {
    const seen: string[] = []
    const note = ({ library }: Job) => {
      seen.push(library)
      return 42
    }
    const ours = contender('ours', note, { own: true })
    const { cases } = await measure([ours, contender('other', right)], { libraries: { old: '/old', here: '/new' } })
    expect(cases[0].contenders.map(({ label }: { label: string }) => label)).toEqual(['ours @ old', 'ours @ here'])
    expect(seen).toEqual(['/old', '/new', '/new', '/old', '/old', '/new'])
  })

  test('a claim is met or missed by the medians, and is left out where its contenders were skipped', async () => {
    const { claims } = await measure([contender('ours', right, { own: true })])
    expect(claims).toEqual([{ text: 'ratio', value: 0.5, atLeast: 0.6, atMost: undefined, met: false }])
    const absent = contender('ours', right, { own: true, available: () => 'not built' })
    expect((await measure([absent])).claims).toEqual([])
  })

  test('a smoke run runs each once and claims nothing', async () => {
    const { cases, claims } = await measure([contender('ours', right, { own: true })], { smoke: true })
    expect(cases[0].contenders[0].samples).toHaveLength(1)
    expect(claims).toEqual([])
  })
})
