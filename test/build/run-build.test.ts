import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type BuildProgress,
  type BuildResult,
  dockerfileStages,
  from,
  type ScriptedStage,
} from '../../lib/build/index.ts'
import { composeConfig, readImage } from '../../lib/image/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type ImageConfig, MediaType, parseIndex } from '../../lib/oci/index.ts'
import { createMemoryStore, readDocument, type Store } from '../../lib/store/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

const files = { 'main.js': 'main', 'lib/a.js': 'a' }
const configOf = ({ images }: BuildResult) => images[0]!.config
const historyOf = (result: BuildResult) =>
  configOf(result).history!.map(({ created_by, empty_layer }) => `${empty_layer ? 'E ' : ''}${created_by}`)

describe('the layers of a build', () => {
  test('hold what the steps say, and the image is found under its name', async () => {
    const stage = from('scratch').workdir('/app').copy('.', '.').files({ 'app.json': '{}' }, '/etc')
    const result = await buildFiles(store, stage, files, { names: ['app:1'] })
    expect(await filesOf(store, result)).toEqual({
      app: 'directory 755 0:0',
      'app/lib': 'directory 755 0:0',
      'app/lib/a.js': 'file 644 0:0 a',
      'app/main.js': 'file 644 0:0 main',
      etc: 'directory 755 0:0',
      'etc/app.json': 'file 644 0:0 {}',
    })
    expect((await readImage(store, 'app:1')).descriptor.digest).toBe(result.descriptor.digest)
    expect(result.names).toEqual(['app:1'])
  })

  test('are the same on another machine, whatever the times of the files and the order of the work', async () => {
    const stage = (mtime: number) =>
      from('scratch')
        .workdir('/app')
        .copy({ files: [{ path: 'a', type: 'file', content: 'x', mtime }], to: '.' })
        .copy('.', './src/')
    const one = await buildFiles(store, stage(1_700_000_000), files, { concurrency: 1 })
    await using other = createMemoryStore()
    const two = await buildFiles(other, stage(1_600_000_000), files, { concurrency: 8 })
    expect(two.descriptor).toEqual(one.descriptor)
  })

  test('have the times of the files if that is asked for, clamped for the build or for one copy', async () => {
    const entries = [{ path: 'a', type: 'file', content: 'x', mtime: 1000 }] as const
    const timeOf = async (stage: ScriptedStage, times: number | 'source') => {
      const result = await buildFiles(store, stage, entries, { policies: { times } })
      const { openUnionView } = await import('../../lib/rootfs/index.ts')
      return (await openUnionView(store, result.images[0]!)).stat('a')!.mtime
    }
    const stage = from('scratch').copy('.', '/')
    expect(await timeOf(stage, 'source')).toBe(1000)
    expect(await timeOf(stage, 500)).toBe(500)
    expect(await timeOf(stage, 5000)).toBe(1000)
    expect(await timeOf(from('scratch').copy('.', '/', { latestTime: new Date(7000) }), 'source')).toBe(7)
  })

  test('have normal modes and owners if that is a policy', async () => {
    const entries = [
      { path: 'a', type: 'file', content: 'x', mode: 0o664 },
      { path: 'b', type: 'file', content: 'x', mode: 0o775 },
    ] as const
    const stage = from('scratch').copy('.', '/')
    const result = await buildFiles(store, stage, entries, { policies: { modes: 'normal' } })
    expect(await filesOf(store, result)).toEqual({ a: 'file 644 0:0 x', b: 'file 755 0:0 x' })
    const noisy = [{ ...entries[0], mode: 0o600 }, entries[1]]
    expect(outcomesOf(await buildFiles(store, stage, noisy, { policies: { modes: 'normal' } }))).toEqual([
      'cached COPY . /',
    ])
    const owned = from('scratch').copy('.', '/', { chown: '5:6' })
    const root = from('scratch').copy({ from: owned, source: '/a', to: '/' })
    expect(await filesOf(store, await buildFiles(store, root, entries))).toEqual({ a: 'file 664 5:6 x' })
    const policies = { owners: 'root' } as const
    expect(await filesOf(store, await buildFiles(store, root, entries, { policies }))).toEqual({ a: 'file 664 0:0 x' })
  })

  test('of a working directory are the directories that are missing, links followed, owned by the user', async () => {
    await sampleImage(store, [{ 'etc/passwd': 'app:x:7:8::/:/bin/sh\n', 'data/x': '' }], { name: 'base:1' })
    const base = from('base:1').files([{ path: 'srv', type: 'symlink', linkname: '/data' }])
    const result = await buildFiles(store, base.user('app').workdir('/srv/a/b').workdir('/data/a'), files)
    const found = await filesOf(store, result)
    expect(found['data/a']).toBe('directory 755 7:8')
    expect(found['data/a/b']).toBe('directory 755 7:8')
    expect(found.srv).toBe('symlink 777 0:0 -> /data')
    expect(result.images[0]!.layers.length).toBe(4)
    const error = await thrownBy(() => buildFiles(store, from('base:1').workdir('/data/x/y'), files))
    expect(error).toMatchObject({ code: 'ERR_BUILD_COPY_CONFLICT', step: 'WORKDIR /data/x/y' })
    const unknown = await thrownBy(() => buildFiles(store, from('base:1').user('ghost').workdir('/g'), files))
    expect(unknown).toMatchObject({ code: 'ERR_BUILD_UNKNOWN_ACCOUNT' })
  })
})

describe('config and history', () => {
  test('are those of the instructions, entry by entry', async () => {
    const stage = from('scratch')
      .workdir('/app')
      .env({ A: '1', B: '2' })
      .label({ team: 'x y' })
      .copy('main.js', '.', { chown: '1:1', chmod: '755' })
      .user('1')
      .expose(8080, '53/UDP', 9)
      .volume('/data')
      .shell(['/bin/bash', '-c'])
      .cmd('node main.js')
      .entrypoint(['/init'])
      .stopSignal('SIGINT')
      .healthcheck(['true'], { interval: 30, retries: 3 })
      .author('team')
      .onBuild('RUN x')
    const result = await buildFiles(store, stage, files)
    expect(historyOf(result)).toEqual([
      'WORKDIR /app',
      'E ENV A=1 B=2',
      'E LABEL team=x y',
      'COPY --chown=1:1 --chmod=755 main.js . # buildkit',
      'E USER 1',
      'E EXPOSE [53/udp 8080/tcp 9/tcp]',
      'E VOLUME [/data]',
      'E SHELL [/bin/bash -c]',
      'E CMD ["/bin/bash" "-c" "node main.js"]',
      'E ENTRYPOINT ["/init"]',
      'E STOPSIGNAL SIGINT',
      'E HEALTHCHECK {"Test":["CMD","true"],"Interval":30000000000,"Retries":3}',
      'E MAINTAINER team',
    ])
    expect(configOf(result)).toMatchObject({
      author: 'team',
      created: '1970-01-01T00:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1', 'B=2'],
        WorkingDir: '/app',
        User: '1',
        Labels: { team: 'x y' },
        ExposedPorts: { '53/udp': {}, '8080/tcp': {}, '9/tcp': {} },
        Volumes: { '/data': {} },
        Shell: ['/bin/bash', '-c'],
        Cmd: ['/bin/bash', '-c', 'node main.js'],
        ArgsEscaped: true,
        Entrypoint: ['/init'],
        StopSignal: 'SIGINT',
        Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000, Retries: 3 },
        OnBuild: ['RUN x'],
      },
    })
  })

  test('of a base are kept, its times and unknown members too; its triggers are not inherited', async () => {
    const base = composeConfig({ layers: [], created: '2020-01-01T00:00:00Z' })
    const config = await putStoreDocument(store, MediaType.OciConfig, {
      ...base,
      history: [{ created: '2020-01-01T00:00:00Z', created_by: 'old', empty_layer: true }],
      config: { Cmd: ['old'], Env: ['A=0', 'PATH=/bin'], OnBuild: ['RUN y'], NetworkDisabled: true },
      'moby.buildkit.cache': 'x',
    })
    const manifest = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [] }
    await store.references.set('old:1', await putStoreDocument(store, MediaType.OciManifest, manifest))
    const stage = from('old:1').env({ A: '1', Z: '2' }).entrypoint(['/new']).workdir('/')
    const result = await buildFiles(store, stage, files, { created: '2024-01-01T00:00:00Z', labels: { l: '1' } })
    expect(configOf(result).history).toEqual([
      { created: '2020-01-01T00:00:00Z', created_by: 'old', empty_layer: true },
      ...['ENV A=1 Z=2', 'ENTRYPOINT ["/new"]', 'WORKDIR /'].map(created_by => ({
        created: '2024-01-01T00:00:00Z',
        created_by,
        comment: 'buildkit.dockerfile.v0',
        empty_layer: true,
      })),
    ])
    const made = configOf(result) as ImageConfig & Record<string, unknown>
    expect(made['moby.buildkit.cache']).toBe('x')
    expect(made.created).toBe('2024-01-01T00:00:00Z')
    expect(made.config).toEqual({
      Env: ['A=1', 'PATH=/bin', 'Z=2'],
      Entrypoint: ['/new'],
      NetworkDisabled: true,
      WorkingDir: '/',
      Labels: { l: '1' },
    })
    expect(result.images[0]!.manifest.annotations).toMatchObject({ 'org.opencontainers.image.base.name': 'old:1' })
  })

  test('an entrypoint keeps a command that its own stage has set, and no other', async () => {
    const cmdOf = async (stage: ScriptedStage) => configOf(await buildFiles(store, stage, files)).config?.Cmd
    const parent = from('scratch').cmd(['a'])
    expect(await cmdOf(parent.entrypoint(['/e']))).toEqual(['a'])
    expect(await cmdOf(from(parent).entrypoint(['/e']))).toBeUndefined()
  })

  test('settings of the base can be reset', async () => {
    const parent = from('scratch')
      .env({ A: '1' })
      .volume('/v')
      .entrypoint(['/e'])
      .cmd(['c'])
      .expose(1)
      .label({ x: 'y' })
    const stage = from(parent).reset('env', 'volumes', 'entrypoint', 'cmd', 'ports', 'labels').env({ B: '2' })
    expect(configOf(await buildFiles(store, stage, files)).config).toEqual({
      Env: ['B=2'],
      WorkingDir: '/',
      ArgsEscaped: true,
    })
    expect(await thrownBy(() => buildFiles(store, from('scratch').reset('all' as 'env'), files))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('annotations and labels of the caller come last', async () => {
    const stage = from('scratch').label({ a: '1', b: '1' })
    const result = await buildFiles(store, stage, files, { labels: { b: '2' }, annotations: { 'org.x': 'y' } })
    expect(configOf(result).config?.Labels).toEqual({ a: '1', b: '2' })
    expect(historyOf(result)).toEqual(['E LABEL a=1 b=1'])
    expect(result.images[0]!.manifest.annotations).toEqual({ 'org.x': 'y' })
  })
})

describe('stages', () => {
  test('run side by side, only what the target needs, and a shared stage runs once', async () => {
    const tools = from('scratch').as('tools').copy('main.js', '/bin/')
    const one = from(tools).as('one').copy('lib', '/one/')
    const two = from(tools).as('two').copy('lib', '/two/')
    const target = from('scratch').as('all').copy({ from: one, to: '/' }).copy({ from: two, to: '/' })
    const result = await buildFiles(store, target, files)
    expect(outcomesOf(result).sort()).toEqual([
      'made COPY . /',
      'made COPY . /',
      'made COPY lib /one/',
      'made COPY lib /two/',
      'made COPY main.js /bin/',
    ])
    expect(Object.keys(await filesOf(store, result))).toEqual([
      'bin',
      'bin/main.js',
      'one',
      'one/a.js',
      'two',
      'two/a.js',
    ])
  })

  test('a stage that is made anew with the same files hits downstream', async () => {
    const compiled = (salt: string) =>
      from('scratch').as('build').env({ salt }).files({ 'out.js': 'same' }, '/dist', { noCache: true })
    const app = (salt: string) =>
      from('scratch')
        .as('app')
        .copy({ from: compiled(salt), source: '/dist', to: '/app/' })
    await buildFiles(store, app('1'), files)
    expect(outcomesOf(await buildFiles(store, app('2'), files))).toEqual([
      'made COPY . /dist/',
      'cached COPY /dist /app/',
    ])
  })

  test('files of an image, of another context and of memory are copied', async () => {
    await sampleImage(store, [{ 'bin/tool': 'tool' }], { name: 'tools:1' })
    const stage = from('scratch')
      .copy({ from: 'tools:1', source: '/bin/tool', to: '/bin/' })
      .copy({ from: { context: 'docs' }, source: '*.md', to: '/docs/' })
      .copy({ files: { 'a/b': () => Buffer.from('made') }, to: '/' })
    const result = await buildFiles(store, stage, files, {
      contexts: { docs: { files: { 'r.md': 'r', 'x.txt': 'x' } } },
    })
    expect(Object.keys(await filesOf(store, result))).toEqual(['a', 'a/b', 'bin', 'bin/tool', 'docs', 'docs/r.md'])
  })

  test('a directory is copied itself if that is asked for', async () => {
    const entries = [
      { path: 'x/dist', type: 'directory', mode: 0o700 },
      { path: 'x/dist/a', type: 'file', content: '1' },
    ] as const
    const stage = from('scratch').copy('x/dist', '/app', { itself: true })
    expect(await filesOf(store, await buildFiles(store, stage, entries))).toEqual({
      app: 'directory 755 0:0',
      'app/dist': 'directory 700 0:0',
      'app/dist/a': 'file 644 0:0 1',
    })
  })

  test('steps of one squash give one layer, without the base, and without what is replaced', async () => {
    await sampleImage(store, [{ base: 'b' }], { name: 'base:1' })
    const stage = from('base:1')
      .files({ a: '1', b: '1' }, '/', { squash: 'app' })
      .files({ a: '2' }, '/', { squash: 'app' })
      .files({ c: '3' })
    const result = await buildFiles(store, stage, files)
    expect(result.images[0]!.layers.length).toBe(3)
    expect(await filesOf(store, result)).toMatchObject({
      base: 'file 644 0:0 b',
      a: 'file 644 0:0 2',
      b: 'file 644 0:0 1',
      c: 'file 644 0:0 3',
    })
    expect(historyOf(result).slice(1)).toEqual(['E COPY . / # buildkit', 'COPY . / # buildkit', 'COPY . / # buildkit'])
    expect((await buildFiles(store, stage, files)).descriptor).toEqual(result.descriptor)
  })

  test('variables come from a function, which is called once', async () => {
    let calls = 0
    const stage = from('scratch').env(async () => ({ VERSION: String(++calls) }))
    const result = await buildFiles(store, stage, files, { platforms: ['linux/amd64', 'linux/arm64'] })
    expect(calls).toBe(1)
    expect(result.images.map(({ config }) => config.config?.Env?.at(-1))).toEqual(['VERSION=1', 'VERSION=1'])
  })

  test('the code decides: conditions, loops and shared parts', async () => {
    const debug = (on: boolean) => (stage: ScriptedStage) => (on ? stage.env({ DEBUG: '1' }) : stage)
    let stage = from('scratch').use(debug(true)).use(debug(false))
    for (const name of ['a', 'b']) stage = stage.files({ [name]: name })
    const result = await buildFiles(store, stage, files)
    expect(Object.keys(await filesOf(store, result))).toEqual(['a', 'b'])
    expect(configOf(result).config?.Env?.at(-1)).toBe('DEBUG=1')
  })
})

describe('platforms', () => {
  test('several give an index, each with its own base', async () => {
    const manifests = []
    for (const architecture of ['amd64', 'arm64']) {
      const { descriptor } = await sampleImage(store, [{ arch: architecture }], { architecture })
      manifests.push({ ...descriptor, platform: { os: 'linux', architecture } })
    }
    const index = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }
    await store.references.set('base:1', { mediaType: MediaType.OciIndex, ...(await store.put(canonicalJson(index))) })
    const stage = from('base:1').copy('main.js', '/').copy({ from: 'base:1', source: '/arch', to: '/copied' })
    const platforms = ['linux/amd64', { os: 'linux', architecture: 'arm64' }]
    const result = await buildFiles(store, stage, files, { platforms, names: ['app:1'] })
    const written = parseIndex(await readDocument(store, result.descriptor))
    expect(written.manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ])
    for (const { platform, images } of [{ platform: 'arm64', images: result.images }]) {
      const image = await readImage(store, 'app:1', { platform: { os: 'linux', architecture: platform } })
      expect(image.config.architecture).toBe(platform)
      expect(images[1]!.descriptor.digest).toBe(image.descriptor.digest)
    }
    // Files of an image are those of its image for the platform, too.
    const found = await filesOf(store, { ...result, images: result.images.slice(1) })
    expect(found.copied).toBe('file 644 0:0 arm64')
  })
})

test('the time of a step is its own, without that of the stages that it waits for', async () => {
  const slow = from('scratch').as('slow').copy('main.js', '/')
  const begun = performance.now()
  const stage = from('scratch').copy({ from: slow, source: '/main.js', to: '/' })
  const started = new Map<string, number>()
  const { steps } = await buildFiles(store, stage, files, {
    onProgress: event => {
      if (event.kind === 'step-started') started.set(event.title, performance.now() - begun)
    },
  })
  const end = performance.now() - begun
  for (const { title, milliseconds } of steps) {
    const from = started.get(title)
    if (from !== undefined) expect(milliseconds).toBeLessThanOrEqual(end - from)
  }
})

test('progress reports each step, and the bytes of its layer', async () => {
  const seen: BuildProgress[] = []
  const stage = from('scratch').copy('.', '/').cmd(['x'])
  await buildFiles(store, stage, files, { onProgress: progress => seen.push(progress) })
  const kinds = seen
    .flatMap(event => ('title' in event ? `${event.kind} ${event.title}` : []))
    .filter((kind, i, all) => all.indexOf(kind) === i)
  expect(kinds).toEqual([
    'step-finished FROM scratch',
    'step-started COPY . /',
    'step-bytes COPY . /',
    'step-finished COPY . /',
    'step-finished CMD ["x"]',
  ])
})

test('a stage that several platforms share runs once', async () => {
  const tools = from('scratch', { platform: 'linux/amd64' }).as('tools').copy('main.js', '/', { noCache: true })
  const stage = from('scratch').copy({ from: tools, to: '/' })
  const result = await buildFiles(store, stage, files, { platforms: ['linux/amd64', 'linux/arm64'] })
  expect(
    outcomesOf(result)
      .filter(outcome => outcome.endsWith('COPY main.js /'))
      .sort(),
  ).toEqual(['cached COPY main.js /', 'made COPY main.js /'])
})

test('a context may be the base of a stage: all of its files are one layer', async () => {
  const stages = dockerfileStages('FROM root AS app\nCOPY main.js /\nCMD ["x"]\n')
  const root = { files: { 'etc/os': 'root' } }
  const result = await buildFiles(store, stages, files, { contexts: { root } })
  expect(await filesOf(store, result)).toMatchObject({ 'etc/os': 'file 644 0:0 root', 'main.js': 'file 644 0:0 main' })
  expect(result.images[0]!.layers.length).toBe(2)
  expect(result.steps.map(({ id, title }) => `${id} ${title}`)).toEqual([
    'app 1/4 FROM scratch',
    'app 2/4 FROM root',
    'app 3/4 COPY main.js /',
    'app 4/4 CMD ["x"]',
  ])
})
