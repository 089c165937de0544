import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type BuildPlan,
  from,
  openContext,
  type PlanBuildOptions,
  planBuild,
  runBuild,
  type ScriptedStage,
} from '../../lib/build/index.ts'
import type { Files } from '../../lib/layer/index.ts'
import { createMemoryStore, readOnlyStore, type Store } from '../../lib/store/index.ts'
import { buildFiles } from '../helpers/build-files.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
beforeEach(async () => {
  store = createMemoryStore()
  await sampleImage(store, [{ 'etc/os': 'base' }], { name: 'base:1' })
})
afterEach(() => store.close())

async function plan(stage: ScriptedStage, files: Files, options: PlanBuildOptions = {}): Promise<BuildPlan> {
  return planBuild(store, stage, { context: await openContext({ files }), ...options })
}
const needsOf = ({ images }: BuildPlan) => images[0]!.steps.map(({ need, title }) => `${need} ${title}`)
const stepOf = ({ images }: BuildPlan, title: string) => images[0]!.steps.find(step => step.title === title)!

const app = from('base:1').as('app').workdir('/app').copy('lib', 'lib').copy('main.js', '.').cmd(['node', 'main.js'])
const files = { 'lib/a.js': 'a', 'lib/b.js': 'b', 'main.js': 'main' }

describe('a plan', () => {
  test('is plain data, changes nothing, and says for each step what it needs', async () => {
    const made = await planBuild(readOnlyStore(store), app, { context: await openContext({ files }) })
    expect(JSON.parse(JSON.stringify(made))).toEqual(made)
    expect(needsOf(made)).toEqual([
      'base FROM base:1',
      'make WORKDIR /app',
      'unknown COPY lib lib',
      'unknown COPY main.js .',
      'config CMD ["node" "main.js"]',
    ])
    expect(stepOf(made, 'WORKDIR /app').reason).toBe('no earlier build of this step is known')
    expect(stepOf(made, 'COPY lib lib').reason).toBe('depends on an earlier step, which must be made first')
    expect(made.images[0]!.steps.map(({ id }) => id)).toEqual(['app 1/5', 'app 2/5', 'app 3/5', 'app 4/5', 'app 5/5'])
    expect(made.images[0]!.bases).toMatchObject([{ reference: 'base:1', missingLayers: 0, missingBytes: 0 }])
  })

  test('knows every key of a build that is cached, and what that saves', async () => {
    await buildFiles(store, app, files)
    const made = await plan(app, files)
    expect(needsOf(made)).toEqual([
      'base FROM base:1',
      'cached WORKDIR /app',
      'cached COPY lib lib',
      'cached COPY main.js .',
      'config CMD ["node" "main.js"]',
    ])
    expect(stepOf(made, 'COPY lib lib')).toMatchObject({
      reason: 'in the cache of the store',
      key: expect.stringMatching(/^sha256:/),
    })
    expect(stepOf(made, 'COPY lib lib').saved!.bytes).toBeGreaterThan(0)
  })

  test.each([
    ['content', { ...files, 'lib/a.js': 'changed' }, 'lib/a.js content differs (1 of 2 files)'],
    ['a file more', { ...files, 'lib/c.js': 'c' }, 'lib/c.js was added (1 of 3 files)'],
    ['a file less', { 'lib/a.js': 'a', 'main.js': 'main' }, 'lib/b.js was removed (1 of 2 files)'],
    ['a new name', { 'lib/a.js': 'a', 'lib/c.js': 'b', 'main.js': 'main' }, 'lib/c.js was added (2 of 3 files)'],
  ])('names the file that differs: %s', async (_, changed, reason) => {
    await buildFiles(store, app, files, { name: 'app' })
    const made = await plan(app, changed, { name: 'app' })
    expect(stepOf(made, 'COPY lib lib')).toMatchObject({ need: 'make', reason })
    expect(needsOf(made)).toContain('cached WORKDIR /app')
  })

  test('counts no directories among the files', async () => {
    const entries = (mode: number, names: readonly string[]): Files => [
      { path: 'lib/sub', type: 'directory', mode },
      ...names.map(name => ({ path: `lib/sub/${name}`, type: 'file', content: name }) as const),
      { path: 'main.js', type: 'file', content: '' },
    ]
    await buildFiles(store, app, entries(0o755, ['a']), { name: 'app' })
    const more = await plan(app, { ...files, 'lib/other/c.js': 'c' }, { name: 'none' })
    expect(stepOf(more, 'COPY lib lib').reason).toBe('lib/a.js was added (4 of 4 files)')
    const mode = await plan(app, entries(0o700, ['a', 'b']), { name: 'app' })
    expect(stepOf(mode, 'COPY lib lib').reason).toBe('lib/sub mode differs (and 1 more)')
    const file = await plan(app, entries(0o755, ['a', 'b', 'c']), { name: 'app' })
    expect(stepOf(file, 'COPY lib lib').reason).toBe('lib/sub/b was added (2 of 3 files)')
  })

  test('names a mode, a link and a type that differ', async () => {
    const entries = (mode: number, linkname: string, type: 'file' | 'directory'): Files => [
      { path: 'lib/a', type: 'file', content: 'a', mode },
      { path: 'lib/l', type: 'symlink', linkname },
      { path: 'lib/t', type },
      { path: 'main.js', type: 'file', content: '' },
    ]
    await buildFiles(store, app, entries(0o644, 'x', 'file'))
    const made = await plan(app, entries(0o755, 'y', 'directory'))
    expect(stepOf(made, 'COPY lib lib').differs).toEqual([
      { what: 'file', name: 'lib/a', change: 'mode', before: '0644', after: '0755' },
      { what: 'file', name: 'lib/l', change: 'link', before: 'x', after: 'y' },
      { what: 'file', name: 'lib/t', change: 'type', before: 'file', after: 'directory' },
    ])
  })

  test('names the base, and an instruction, that differ', async () => {
    await buildFiles(store, app, files)
    await sampleImage(store, [{ 'etc/os': 'newer' }], { name: 'base:1' })
    expect(stepOf(await plan(app, files), 'WORKDIR /app').reason).toBe('the layers below differ')
    const other = from('scratch').copy('lib', '/x/', { chmod: '755' })
    await buildFiles(store, from('scratch').copy('lib', '/x/'), files)
    const made = await plan(other, files)
    expect(made.images[0]!.steps[1]).toMatchObject({
      need: 'make',
      differs: [{ what: 'instruction', name: 'chmod', change: 'added', after: '755' }, {}, {}],
      reason: 'instruction chmod was added (and 2 more)',
    })
  })

  test('compares with the last build of its name, else with the record that shares most', async () => {
    const stage = from('scratch').copy('.', '/')
    await buildFiles(store, stage, { a: '1', b: '1', c: '1' }, { name: 'one' })
    await buildFiles(store, stage, { x: '1', y: '1', z: '1' }, { name: 'two' })
    const changed = { a: '2', b: '1', c: '1' }
    const differs = async (name: string) => (await plan(stage, changed, { name })).images[0]!.steps[1]!.differs!.length
    expect(await differs('one')).toBe(1)
    expect(await differs('two')).toBe(6)
    expect(await differs('three')).toBe(1)
  })

  test('says that a step must wait for another stage', async () => {
    const tools = from('scratch').as('tools').copy('tool', '/bin/')
    const stage = from('base:1').as('app').copy({ from: tools, source: '/bin/tool', to: '/usr/bin/' })
    const made = await plan(stage, { tool: 't' })
    expect(stepOf(made, 'COPY /bin/tool /usr/bin/')).toMatchObject({
      need: 'unknown',
      reason: 'depends on tools, which must be made first',
    })
  })

  test('follows the definition of a copy from a stage without reading its files', async () => {
    const tools = from('scratch').as('tools').copy('tool', '/bin/')
    const stage = from('base:1').as('app').copy({ from: tools, source: '/bin/tool', to: '/usr/bin/' })
    await buildFiles(store, stage, { tool: 't' })
    expect(needsOf(await plan(stage, { tool: 't' }))).toEqual([
      'base FROM scratch',
      'cached COPY tool /bin/',
      'base FROM base:1',
      'cached COPY /bin/tool /usr/bin/',
    ])
  })
})

describe('noCache', () => {
  test('makes all steps anew, or those of a stage, or one step; the results are recorded', async () => {
    const tools = from('scratch').as('tools').copy('tool', '/bin/')
    const stage = from('base:1').as('app').copy('main.js', '/').copy({ from: tools, to: '/tools/' })
    const all = { tool: 't', 'main.js': 'm' }
    await buildFiles(store, stage, all)
    const made = async (options: PlanBuildOptions) =>
      needsOf(await plan(stage, all, options)).filter(need => /^make/.test(need))
    expect(await made({})).toEqual([])
    expect(await made({ noCache: true })).toEqual(['make COPY tool /bin/', 'make COPY main.js /'])
    expect(await made({ noCache: ['TOOLS'] })).toEqual(['make COPY tool /bin/'])
    const one = from('scratch').copy('tool', '/', { noCache: true })
    await buildFiles(store, one, all)
    expect(needsOf(await plan(one, all))[1]).toBe('make COPY tool /')
    expect(needsOf(await plan(from('scratch').copy('tool', '/'), all))[1]).toBe('cached COPY tool /')
  })
})

describe('a plan refuses', () => {
  test('a base that is nowhere, with the step', async () => {
    const error = await thrownBy(() => plan(from('nowhere:1').copy('.', '/'), files))
    expect(error).toMatchObject({ step: 'FROM nowhere:1', cause: { code: 'ERR_REFERENCE_NOT_FOUND' } })
  })

  test('a copy without a context, and from a context that was not given', async () => {
    const none = await thrownBy(() => planBuild(store, from('scratch').copy('.', '/')))
    expect(none).toMatchObject({
      code: 'ERR_BUILD_SOURCE_NOT_FOUND',
      message: expect.stringMatching(/2\/2.*the build has no context/),
    })
    const other = await thrownBy(() => plan(from('scratch').copy({ from: { context: 'docs' }, to: '/' }), files))
    expect(other).toMatchObject({
      code: 'ERR_BUILD_SOURCE_NOT_FOUND',
      message: expect.stringMatching(/no context is named "docs"/),
    })
  })

  test('a source that is missing, with the step and its text', async () => {
    const error = await thrownBy(() => plan(from('scratch').copy('missing.js', '/'), files))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_SOURCE_NOT_FOUND',
      step: 'COPY missing.js /',
      message: expect.stringMatching(/step 2\/2 \("COPY missing.js \/"\)/),
    })
  })

  test('to run as a plan of another version, or stored without a store', async () => {
    const made = await plan(app, files)
    expect(await thrownBy(() => runBuild({ ...made, version: 2 as 1 }))).toMatchObject({
      code: 'ERR_BUILD_INVALID_STEP',
    })
    expect(await thrownBy(() => runBuild(JSON.parse(JSON.stringify(made))))).toMatchObject({
      code: 'ERR_BUILD_INVALID_STEP',
    })
  })
})

test('a stored plan runs with the store and the context that it is given', async () => {
  const stored: BuildPlan = JSON.parse(JSON.stringify(await plan(app, files)))
  const result = await runBuild(stored, { store, context: await openContext({ files }) })
  const direct = await buildFiles(store, app, files)
  expect(result.descriptor).toEqual(direct.descriptor)
})

test('a plan runs again after it was aborted', async () => {
  const made = await plan(app, files)
  const stop = new AbortController()
  const aborted = runBuild(made, {
    signal: stop.signal,
    onProgress: ({ kind }) => kind === 'step-started' && stop.abort(new Error('enough')),
  })
  expect(await thrownBy(() => aborted)).toMatchObject({ message: 'enough' })
  expect((await runBuild(made)).images.length).toBe(1)
})

test('the image of each platform lists its own bases', async () => {
  await sampleImage(store, [{ tool: 'x' }], { name: 'tools:1' })
  const stage = from('base:1').copy({ from: 'tools:1', to: '/' })
  const { images } = await plan(stage, files, { platforms: ['linux/amd64', 'linux/arm64'] })
  expect(images.map(({ bases }) => bases.map(({ reference, platform }) => `${reference} ${platform}`))).toEqual([
    ['base:1 linux/amd64', 'tools:1 linux/amd64'],
    ['base:1 linux/arm64', 'tools:1 linux/arm64'],
  ])
})
