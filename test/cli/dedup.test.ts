import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
const run = (...args: string[]) => cli([...args, '--hasher', 'native'], { store })

beforeAll(async () => {
  directory = temporaryDirectory('dedup')
  store = join(directory.path, 'store')
  await using opened = await openStore(store, { durability: 'none', hasher: 'native' })
  const base = { lib: mixedBytes(40_000) }
  await sampleImage(opened, [base, { app: 'one' }], { name: 'app:1' })
  await sampleImage(opened, [base, { app: 'two', lib2: mixedBytes(40_000).reverse() }], { name: 'app:2' })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', ...(await opened.put(Buffer.from('{}'))) }
  const artifact = { schemaVersion: 2, mediaType, artifactType: 'application/x', config: empty, layers: [empty] }
  await opened.references.set('report:1', await putStoreDocument(opened, mediaType, artifact))
})
afterAll(() => directory[Symbol.dispose]())

describe('dedup', () => {
  test('prints a row for each way to keep the images, and what each image adds', async () => {
    const { code, stdout, stderr } = await run('dedup', 'app:1', 'app:2')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split(/ {3,}/))
    expect(lines[0]).toEqual(['KEPT', 'PIECES', 'MEDIAN', 'BYTES', 'COMPRESSED', 'INDEX', 'SAVED'])
    expect(lines.slice(1, 5).map(([kept, pieces]) => [kept, pieces])).toEqual([
      ['each image alone', '2'],
      ['each layer once', '3'],
      ['each file once', '4'],
      ['each chunk once', expect.stringMatching(/^\d+$/)],
    ])
    expect(lines.slice(1, 5).every(row => / %$/.test(row.at(-1)!))).toBe(true)
    expect(stdout).toContain('chunks of 4.10kB to 65.5kB, about 16.4kB\n')
    expect(lines.slice(-3).map(([name]) => name)).toEqual(['IMAGE', 'app:1', 'app:2'])
  })

  test('takes every image of the store without names, and leaves out what is none', async () => {
    const { code, stdout, stderr } = await run('dedup', '--no-compress')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^app:2 /m)
    expect(stderr).toMatch(/^left out: report:1: .* is not an image/m)
    expect(stdout).toMatch(/^each file once +4 +40\.0kB +80\.0kB +- +\S+ +\d/m)
  })

  test('--json prints the report; --chunk-size sets the sizes', async () => {
    const { stdout } = await run('dedup', 'app:1', '--chunk-size', '1KiB', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      names: ['app:1'],
      version: 1,
      chunks: { min: 256, mean: 1024, max: 4096 },
      levels: [{ level: 'image' }, { level: 'blob' }, { level: 'file' }, { level: 'chunk' }],
    })
    expect((await run('dedup', 'app:1', '--chunk-size', '1000')).code).toBe(2)
    expect((await run('dedup', 'report:1')).code).toBe(1)
  })

  test('of a store without images is wrong usage', async () => {
    const empty = join(directory.path, 'empty')
    await (await openStore(empty)).close()
    expect(await cli(['dedup'], { store: empty })).toMatchObject({ code: 2 })
  })
})
