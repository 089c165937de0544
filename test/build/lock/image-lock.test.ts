import { describe, expect, test } from 'vitest'
import {
  type ActualBuild,
  compareLock,
  formatImageLock,
  type ImageLock,
  type LockedImage,
  lockInputs,
  openContext,
  parseImageLock,
} from '../../../lib/build/index.ts'
import type { Digest } from '../../../lib/digest/index.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest
const image = (platform: string, more: Partial<LockedImage> = {}): LockedImage => ({
  platform,
  digest: digest('1'),
  config: digest('2'),
  layers: [digest('a'), digest('b'), digest('c')],
  ...more,
})
const lock: ImageLock = {
  version: 1,
  bases: [
    { reference: 'base:1', platform: 'linux/amd64', digest: digest('3'), index: digest('4'), layers: [digest('a')] },
  ],
  compressor: 'gzip-6/zlib-1.3.1',
  inputs: { context: digest('5'), dockerfile: digest('6'), target: 'app', args: { A: '1', B: '' } },
  images: [image('linux/amd64')],
}
const parse = (value: unknown) => parseImageLock(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

describe('a lock file', () => {
  test('is read as it was written, with every optional member and without', () => {
    expect(parse(formatImageLock(lock))).toEqual(lock)
    const { index: _, ...base } = lock.bases[0]!
    const least = { ...lock, bases: [{ ...base, layers: [] }], inputs: { args: {} }, images: [] }
    expect(parse(formatImageLock(least))).toEqual(least)
  })

  test('is sorted, with one member a line', () => {
    const [base] = lock.bases
    const bases = ['b:1 linux/amd64', 'a:1 linux/arm64', 'a:1 linux/amd64', 'B:1 linux/amd64'].map(text => {
      const [reference, platform] = text.split(' ') as [string, string]
      return { ...base!, reference, platform }
    })
    const mixed = {
      ...lock,
      bases,
      inputs: { args: { b: '2', B: '1', a: '3' } },
      images: [image('linux/arm64'), image('linux/amd64')],
    }
    const text = formatImageLock(mixed)
    const again = parse(text)
    expect(again.bases.map(({ reference, platform }) => `${reference} ${platform}`)).toEqual([
      'B:1 linux/amd64',
      'a:1 linux/amd64',
      'a:1 linux/arm64',
      'b:1 linux/amd64',
    ])
    expect(Object.keys(again.inputs.args)).toEqual(['B', 'a', 'b'])
    expect(again.images.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64'])
    expect(formatImageLock({ ...again, bases: bases.toReversed() })).toBe(text)
    expect(text.split('\n').every(line => (line.match(/": /g)?.length ?? 0) <= 1)).toBe(true)
  })
})

describe('a lock file is refused', () => {
  const optional = ['bases[0].index', 'inputs.context', 'inputs.dockerfile', 'inputs.target']

  /** Every member of a value, with a function that replaces or removes it. */
  function* membersOf(value: object, at = ''): Generator<[path: string, change: (to: unknown) => void]> {
    for (const [name, inner] of Object.entries(value)) {
      const path = Array.isArray(value) ? `${at}[${name}]` : at === '' ? name : `${at}.${name}`
      yield [path, to => Object.assign(value, { [name]: to })]
      if (typeof inner === 'object') yield* membersOf(inner, path)
    }
  }
  const paths = [...membersOf(structuredClone(lock))].map(([path]) => path)
  const changed = (path: string, to: unknown) => {
    const copy = structuredClone(lock)
    for (const [at, change] of [...membersOf(copy)]) if (at === path) change(to)
    return copy
  }

  test('if a member has another kind, is empty where it must not be, or is absent; the error names the member', async () => {
    expect(paths).toHaveLength(26)
    for (const path of paths) {
      for (const wrong of [7, null, ...(path.includes('args.') || optional.includes(path) ? [] : [undefined])]) {
        const error = await thrownBy(() => parse(changed(path, wrong)))
        expect(error, `${path}: ${wrong}`).toMatchObject({ code: 'ERR_BUILD_LOCK' })
        expect((error as Error).message).toContain(path)
      }
    }
    for (const path of [
      'compressor',
      'bases[0].reference',
      'images[0].platform',
      'images[0].layers[2]',
      'inputs.target',
    ])
      expect(await thrownBy(() => parse(changed(path, ''))), path).toMatchObject({ code: 'ERR_BUILD_LOCK' })
  })

  test('if it has a member that this version does not know, at every level', async () => {
    const unknown = [
      { ...lock, more: 1 },
      changed('bases[0]', { ...lock.bases[0], more: 1 }),
      changed('inputs', { ...lock.inputs, more: 1 }),
      changed('images[0]', { ...lock.images[0], more: 1 }),
    ]
    for (const value of unknown)
      expect(await thrownBy(() => parse(value))).toMatchObject({
        code: 'ERR_BUILD_LOCK',
        message: expect.stringContaining('the unknown member "more"'),
      })
  })

  test('if it is of another version, no object or no JSON', async () => {
    for (const [value, message] of [
      [{ ...lock, version: 2 }, 'version 2 is not known; this program reads 1'],
      ['[]', 'the file is not an object'],
      ['', 'the lock is not JSON'],
      ['{"version":1,"version":1}', 'the lock is not JSON'],
    ] as const) {
      const error = await thrownBy(() => parse(value))
      expect(error).toMatchObject({ code: 'ERR_BUILD_LOCK', message: expect.stringContaining(message) })
    }
  })
})

describe('comparing a build with a lock', () => {
  const same: ActualBuild = { images: lock.images, inputs: lock.inputs, compressor: lock.compressor }
  const partsOf = (actual: Partial<ActualBuild>, locked = lock) =>
    compareLock(locked, { ...same, ...actual }).map(({ part, name, platform }) =>
      [part, name, platform].filter(Boolean).join(' '),
    )

  test('an equal build has no difference, and without inputs only results are compared', () => {
    expect(compareLock(lock, same)).toEqual([])
    expect(compareLock(lock, { images: lock.images })).toEqual([])
  })

  test('each input that differs is named, with both values', () => {
    expect(compareLock(lock, { ...same, inputs: { args: { A: '2', C: 'new' } }, compressor: 'none' })).toEqual([
      { part: 'context', locked: digest('5') },
      { part: 'dockerfile', locked: digest('6') },
      { part: 'target', locked: 'app' },
      { part: 'args', name: 'A', locked: '1', actual: '2' },
      { part: 'args', name: 'B', locked: '' },
      { part: 'args', name: 'C', actual: 'new' },
      { part: 'compressor', locked: 'gzip-6/zlib-1.3.1', actual: 'none' },
    ])
  })

  test('layers of a base are one difference, others each have a number', () => {
    const layers = (...letters: string[]) => [image('linux/amd64', { layers: letters.map(digest) })]
    expect(partsOf({ images: layers('f', 'b', 'c') })).toEqual(['base base:1 linux/amd64'])
    expect(partsOf({ images: layers('a', 'f', 'c') })).toEqual(['layer 2 linux/amd64'])
    expect(partsOf({ images: layers('a', 'b') })).toEqual(['layer 3 linux/amd64'])
    expect(partsOf({ images: layers('a', 'b', 'c', 'd') })).toEqual(['layer 4 linux/amd64'])
    expect(partsOf({ images: layers('f', 'b', 'c') }, { ...lock, bases: [] })).toEqual(['layer 1 linux/amd64'])
    expect(compareLock(lock, { images: layers('a', 'f') })).toEqual([
      { part: 'layer', name: '2', platform: 'linux/amd64', locked: digest('b'), actual: digest('f') },
      { part: 'layer', name: '3', platform: 'linux/amd64', locked: digest('c') },
    ])
  })

  test('a config is named, and the manifest only if nothing else differs', () => {
    const other = { digest: digest('8') }
    expect(partsOf({ images: [image('linux/amd64', { ...other, config: digest('9') })] })).toEqual([
      'config linux/amd64',
    ])
    expect(partsOf({ images: [image('linux/amd64', other)] })).toEqual(['manifest linux/amd64'])
  })

  test('a platform that only one of the two has is named', () => {
    expect(compareLock(lock, { images: [image('linux/arm64', { digest: digest('8') })] })).toEqual([
      { part: 'platform', platform: 'linux/amd64', locked: digest('1') },
      { part: 'platform', platform: 'linux/arm64', actual: digest('8') },
    ])
  })
})

test('inputs have the digest of the context without the lock file, and no secret', async () => {
  const inputsOf = async (files: Record<string, string>) => {
    await using context = await openContext({ files })
    const buildArgs = { NPM_TOKEN: 'canary', URL: 'https://me:canary@host.test/', NONE: undefined, A: '1' }
    return lockInputs({ context, dockerfile: 'FROM scratch\n', buildArgs, omit: 'image.lock' })
  }
  const inputs = await inputsOf({ a: 'a', 'image.lock': 'one' })
  expect(inputs).toEqual({
    context: expect.stringMatching(/^sha256:/),
    dockerfile: expect.stringMatching(/^sha256:/),
    args: { A: '1', NPM_TOKEN: 'xxxxx', URL: 'https://xxxxx:xxxxx@host.test/' },
  })
  expect(await inputsOf({ a: 'a', 'image.lock': 'another' })).toEqual(inputs)
  expect((await inputsOf({ a: 'b', 'image.lock': 'one' })).context).not.toBe(inputs.context)
  expect(await lockInputs({})).toEqual({ args: {} })
})
