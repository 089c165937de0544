import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type BuildImageOptions,
  type BuildProgress,
  dockerfileStages,
  openContext,
  planBuild,
  runBuild,
} from '../../lib/build/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { buildFiles } from '../helpers/build-files.ts'
import { fakeExecutor } from '../helpers/fake-executor.ts'
import { plainSnapshots } from '../helpers/plain-snapshots.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

/** The warnings of a build, as its progress reports them. */
async function warningsOf(
  text: string,
  options: BuildImageOptions & { buildArgs?: Record<string, string> } = {},
): Promise<object[]> {
  const seen: BuildProgress[] = []
  const { buildArgs = {}, ...rest } = options
  const stages = dockerfileStages(text, { buildArgs, file: 'app.Dockerfile' })
  await buildFiles(store, stages, { a: 'a' }, { ...rest, onProgress: event => seen.push(event) })
  return seen.filter(({ kind }) => kind === 'warning')
}

describe('a build warns', () => {
  test('of build arguments that no ARG declares, and of no others', async () => {
    const text = 'ARG GLOBAL\nFROM scratch\nARG USED\nCOPY a /\n'
    const buildArgs = { GLOBAL: '1', USED: '2', HTTP_PROXY: 'x', SOURCE_DATE_EPOCH: '1', TYPO: '3', OTHER: '4' }
    const platforms = ['linux/amd64', 'linux/arm64']
    expect(await warningsOf(text, { buildArgs, platforms })).toEqual([
      {
        kind: 'warning',
        code: 'UnusedBuildArgs',
        message: 'build arguments were not consumed, because no ARG declares them: TYPO, OTHER',
      },
    ])
    expect(await warningsOf(text, { buildArgs: { USED: '2' } })).toEqual([])
  })

  test('of a base for another platform, with the place of FROM; the plan has the warning too', async () => {
    await sampleImage(store, [{ x: 'x' }], { name: 'base:1', architecture: 'arm64' })
    const text = 'FROM scratch AS one\nFROM base:1\nCOPY a /\n'
    const warning = {
      code: 'InvalidBaseImagePlatform',
      message: 'the base base:1 is for linux/arm64, not for linux/amd64',
      at: 'app.Dockerfile:2:1',
    }
    const platforms = ['linux/amd64']
    expect(await warningsOf(text, { platforms })).toEqual([{ kind: 'warning', ...warning }])
    expect(await warningsOf(text, { platforms: ['linux/arm64'] })).toEqual([])
    const stages = dockerfileStages(text, { file: 'app.Dockerfile' })
    const context = await openContext({ files: { a: 'a' } })
    const plan = await planBuild(store, stages, { platforms, context })
    expect(plan.warnings).toEqual([warning])
    const seen: BuildProgress[] = []
    await runBuild(JSON.parse(JSON.stringify(plan)), { store, context, onProgress: event => seen.push(event) })
    expect(seen[0]).toEqual({ kind: 'warning', ...warning })
  })

  test('of caches that cannot be imported, and goes on without them', async () => {
    using place = temporaryDirectory('no-cache')
    await sampleImage(store, [{ x: 'x' }], { name: 'no-cache:1' })
    await using registry = registryClientFor()
    const directory = join(place.path, 'none')
    const reference = '127.0.0.1:1/team/cache:1'
    const cacheFrom = [{ directory }, { archive: join(place.path, 'none.tar') }, { reference }]
    expect(await warningsOf('FROM scratch\nCOPY a /\n', { cacheFrom, registry })).toEqual([
      { kind: 'warning', code: 'CacheNotImported', message: expect.stringContaining(`cache of ${directory} was not`) },
      { kind: 'warning', code: 'CacheNotImported', message: expect.stringContaining('none.tar was not imported') },
      { kind: 'warning', code: 'CacheNotImported', message: expect.stringMatching(/cache:1 was not .*ERR_NETWORK/) },
    ])
    const cacheFromInvalid = [{ reference: 'Not Valid' }]
    const invalid = () => warningsOf('FROM scratch\n', { cacheFrom: cacheFromInvalid, registry })
    expect(await thrownBy(invalid)).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
    const noClient = () => warningsOf('FROM scratch\n', { cacheFrom: [{ reference }] })
    expect(await thrownBy(noClient)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

describe('a build refuses', () => {
  test('a platform that does not exist, and names such as do', async () => {
    for (const platform of ['zz', 'linux/amd65', 'linuks/amd64', 'linux']) {
      const error = await thrownBy(() => warningsOf('FROM scratch\n', { platforms: [platform] }))
      expect(error).toMatchObject({
        code: 'ERR_INVALID_PLATFORM',
        message: expect.stringMatching(/^no such platform: .*; known are those such as linux\/amd64, linux\/arm64/),
      })
    }
    const inFile = await thrownBy(() => warningsOf('FROM --platform=linux/zz scratch\n'))
    expect(inFile).toMatchObject({
      code: 'ERR_DOCKERFILE_SYNTAX',
      line: 1,
      hint: expect.stringMatching(/linux\/arm64/),
    })
  })

  test('a base that cannot be found, with file, line, column and code frame', async () => {
    const error = await thrownBy(() => warningsOf('FROM scratch AS one\nFROM nowhere:1 AS two\nCOPY a /\n'))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_STEP',
      step: 'FROM nowhere:1',
      at: 'app.Dockerfile:2:1',
      frame: expect.stringMatching(/> 2 \| FROM nowhere:1 AS two/),
      message: expect.stringMatching(/^FROM nowhere:1: .*ERR_REFERENCE_NOT_FOUND\) \(app\.Dockerfile:2:1\)$/),
      cause: { code: 'ERR_REFERENCE_NOT_FOUND' },
    })
  })
})

test('the error of a RUN names the instruction as written, without the values of build arguments', async () => {
  await sampleImage(store, [{ 'bin/sh': '' }], { name: 'base:1' })
  const text = 'FROM base:1\nARG TOKEN\nRUN get --token $TOKEN\n'
  using place = temporaryDirectory('run-error')
  const snapshots = plainSnapshots(place.path)
  const options = { buildArgs: { TOKEN: 'hunter2' }, executor: fakeExecutor(() => 1), snapshots }
  const error = (await thrownBy(() => warningsOf(text, options))) as Error
  expect(error).toMatchObject({ code: 'ERR_BUILD_RUN', step: 'RUN get --token $TOKEN' })
  expect(error.message).toMatch(/^step 3\/3 \("RUN get --token \$TOKEN"\): /)
  expect(error.message).not.toContain('hunter2')
})

test('an image of the store for another platform is used if the registry has none', async () => {
  await sampleImage(store, [{ x: 'x' }], { name: '127.0.0.1:1/made:here', architecture: 'arm64' })
  await using registry = registryClientFor()
  const options = { registry, platforms: ['linux/amd64'] }
  const warnings = await warningsOf('FROM 127.0.0.1:1/made:here\nCOPY a /\n', options)
  expect(warnings).toMatchObject([{ code: 'InvalidBaseImagePlatform' }])
  const never = await thrownBy(() => warningsOf('FROM 127.0.0.1:1/made:here\n', { ...options, pull: 'always' }))
  expect(never).toMatchObject({ code: 'ERR_BUILD_STEP', cause: { code: 'ERR_NETWORK' } })
})
