import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { type Image, readImage } from '../../lib/image/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let before: Image

beforeEach(async () => {
  place = temporaryDirectory('edit')
  await using store = await openStore(join(place.path, 'store'))
  before = await sampleImage(store, [{ a: '1' }, { b: '2' }, { c: '3' }], { name: 'app:1', config: { User: 'root' } })
  await sampleIndexImage(store, ['amd64', 'arm64'], 'both:1')
})
afterEach(() => place[Symbol.dispose]())

const run = (...args: string[]) => cli(args, { store: join(place.path, 'store') })

async function edited(...args: string[]): Promise<Image> {
  const { code, stdout, stderr } = await run('edit', ...args, '-t', 'new:1')
  expect({ code, stderr }).toMatchObject({ code: 0 })
  await using store = await openStore(join(place.path, 'store'))
  const image = await readImage(store, 'new:1', { platform: 'linux/amd64' })
  if (!args.includes('both:1')) expect(stdout.trim()).toBe(image.descriptor.digest)
  return image
}

test('edit changes the config, and the image before stays', async () => {
  const options = [
    '--env',
    'MODE=prod',
    '--unset',
    'user',
    '--healthcheck',
    'curl -f localhost',
    '--stop-signal',
    'SIGINT',
  ]
  const image = await edited('app:1', ...options, '--annotation', 'team=a', '--author', 'me', '--created', '2026-01-02')
  expect(image.config).toMatchObject({
    author: 'me',
    created: '2026-01-02T00:00:00Z',
    config: { Env: ['MODE=prod'], Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'] }, StopSignal: 'SIGINT' },
  })
  expect(image.config.config).not.toHaveProperty('User')
  expect(image.manifest.annotations).toMatchObject({ team: 'a' })
  expect((await run('digest', 'app:1')).stdout.trim()).toBe(before.descriptor.digest)
})

test('edit drops, squashes and adds layers, and compresses them anew', async () => {
  writeFileSync(join(place.path, 'd'), '4')
  const file = `${join(place.path, 'd')}:/etc/d`
  expect((await edited('app:1', '--drop-layer', '-1')).layers).toEqual(before.layers.slice(0, 2))
  expect((await edited('app:1', '--drop-layer', before.layers[1]!.diffId)).layers).toHaveLength(2)
  const squashed = await edited('app:1', '--squash', '2..3', '--file', file)
  expect(squashed.layers).toHaveLength(3)
  const flat = await edited('app:1', '--flatten', '--convert', 'none')
  expect(flat.layers.map(({ descriptor }) => descriptor.mediaType)).toEqual(['application/vnd.oci.image.layer.v1.tar'])
})

test('edit of an index changes each of its images, or the one of a platform', async () => {
  await edited('both:1', '--user', '5')
  const inspected = JSON.parse((await run('inspect', 'new:1', '--json')).stdout)
  expect(inspected).toMatchObject({ kind: 'index', index: { manifests: [{}, {}] } })
  const one = await edited('both:1', '--user', '6', '--platform', 'linux/amd64')
  expect(one.config.config?.User).toBe('6')
  expect(JSON.parse((await run('inspect', 'new:1', '--json')).stdout).kind).toBe('image')
})

test('edit --documents docker pushes a Docker image', async () => {
  await using server = await serveStore(createMemoryStore())
  const { code } = await run('edit', 'app:1', '--documents', 'docker', '--push', `${server.host}/app:1`)
  expect(code).toBe(0)
  const { stdout } = await run('manifest', `${server.host}/app:1`)
  expect(JSON.parse(stdout).mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
})

describe('edit refuses', () => {
  test.each([
    [['app:1'], 'edit needs something to change'],
    [['app:1', '--unset', 'ports'], '--unset takes user, entrypoint'],
    [['app:1', '--drop-layer', '4'], 'the image has 3 layers'],
    [['app:1', '--drop-layer', 'abcdef01'], 'names no layer'],
    [['app:1', '--squash', '2..9'], 'the image has 3 layers'],
    [['app:1', '--flatten', '--squash', 'all'], 'give one of them'],
    [['app:1', '--drop-layer', '1', '--squash', '2..3'], 'edit twice'],
    [['app:1', '--documents', 'v1'], '--documents takes oci or docker'],
    [['app:1', '--convert', 'xz'], '--convert takes gzip, zstd or none'],
    [['app:1', '--healthcheck', '[1]'], '--healthcheck takes none'],
  ])('%j', async (args, message) => {
    expect(await run('edit', ...args, '-t', 'new:1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    })
  })
})
