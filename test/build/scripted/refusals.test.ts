import { expect, test } from 'vitest'
import { buildImage, from, type ScriptedStage } from '../../../lib/build/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { buildFiles } from '../../helpers/build-files.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const none = from('scratch')

test.each<[string, () => unknown, string]>([
  ['a port that is none', () => none.expose('http'), 'ERR_INVALID_ARGUMENT'],
  ['a port that is too high', () => none.expose(70_000), 'ERR_INVALID_ARGUMENT'],
  ['a protocol that is none', () => none.expose('1/icmp'), 'ERR_INVALID_ARGUMENT'],
  ['a shell without a program', () => none.shell([]), 'ERR_INVALID_ARGUMENT'],
  ['a platform that is none', () => from('x', { platform: 'a/b/c/d' }), 'ERR_INVALID_PLATFORM'],
])('%s is refused at once', async (_, act, code) => {
  expect(await thrownBy(async () => act())).toMatchObject({ code })
})

test.each<[string, ScriptedStage]>([
  ['a variable without a name', none.env({ '': 'x' })],
  ['a variable with an equals sign in its name', none.env({ 'a=b': 'x' })],
  ['a variable that is no text', none.env({ a: 1 as unknown as string })],
  ['files that no tar can hold', none.files({ '../x': 'y' })],
])('%s is refused when the build is planned', async (_, stage) => {
  await using store = createMemoryStore()
  expect(await thrownBy(() => buildFiles(store, stage, {}))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('bases that name bases without end are refused', async () => {
  await using store = createMemoryStore()
  let round = 0
  const endless = {
    evaluate: () => ({
      platform: 'linux/amd64',
      stages: [],
      unresolved: [{ context: `c${round++}`, platform: 'linux/amd64' }],
    }),
  }
  expect(await thrownBy(() => buildImage(store, endless))).toMatchObject({ code: 'ERR_BUILD_INVALID_STEP' })
})

test('a healthcheck may be a text, or turned off', async () => {
  await using store = createMemoryStore()
  const check = async (stage: ScriptedStage) =>
    (await buildFiles(store, stage, {})).images[0]!.config.config as { Healthcheck?: unknown }
  const options = { interval: 1, timeout: 2, startPeriod: 3, retries: 4 }
  expect((await check(none.healthcheck('curl x', options))).Healthcheck).toEqual({
    Test: ['CMD-SHELL', 'curl x'],
    Interval: 1e9,
    Timeout: 2e9,
    StartPeriod: 3e9,
    Retries: 4,
  })
  expect((await check(none.healthcheck(undefined))).Healthcheck).toEqual({ Test: ['NONE'] })
})

test('a stage that reads from a stage which is not evaluated yet is evaluated after it', async () => {
  await using _store = createMemoryStore()
  const late = from('scratch').as('late').files({ a: 'x' })
  const stage = from('scratch')
    .run('x', { mounts: [{ bind: '/m', from: late }] })
    .copy({ from: late, to: '/' })
  const { stages } = await stage.evaluate({ contexts: [], bases: () => undefined })
  expect(stages.map(({ name }) => name)).toEqual(['late', undefined])
})

test('a build closes the resources of its stages at its end, also if it fails', async () => {
  await using store = createMemoryStore()
  const closed: string[] = []
  const owner = (name: string, stage: ScriptedStage) => ({
    evaluate: async (request: Parameters<ScriptedStage['evaluate']>[0]) => ({
      ...(await stage.evaluate(request)),
      owned: [{ [Symbol.asyncDispose]: async () => void closed.push(name) }],
    }),
  })
  await buildFiles(store, owner('good', none.files({ a: 'x' })), {})
  await thrownBy(() => buildFiles(store, owner('bad', none.files({ a: 'x' }).workdir('/a')), {}))
  expect(closed).toEqual(['good', 'bad'])
})
