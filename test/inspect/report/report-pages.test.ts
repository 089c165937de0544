import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeArtifact, composeIndex, readImage } from '../../../lib/image/index.ts'
import { createReportPages } from '../../../lib/inspect/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import { reportedImages } from '../../helpers/reported-images.ts'

let store: Store
let pages: ReturnType<typeof createReportPages>
beforeAll(async () => {
  store = await reportedImages()
  const { descriptor } = await readImage(store, 'app:1')
  const index = await composeIndex(store, { images: [descriptor] })
  await store.references.set('multi:1', index.descriptor)
  pages = createReportPages(store, { hasher: 'native' })
})
afterAll(() => store.close())

async function ask(path: string, query: Record<string, string> | [string, string][] = {}) {
  const page = await pages({ path, query: new URLSearchParams(query) })
  const text = Buffer.from(page?.body ?? []).toString()
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(text) ?? []
  return { ...page, data: JSON.parse(json ?? 'null') }
}

describe('createReportPages', () => {
  test('lists the images of the store with their platforms', async () => {
    const { status, data } = await ask('/')
    expect({ status, kind: data.kind, more: data.more }).toEqual({ status: 200, kind: 'list', more: 0 })
    expect(data.images.map(({ name }: { name: string }) => name)).toEqual([
      'app:1',
      'app:2',
      'base:1',
      'hostile:1',
      'multi:1',
    ])
    expect(data.images[0]).toMatchObject({ platforms: ['linux/amd64'], layers: 2 })
    expect(data.images[4]).toMatchObject({ platforms: ['linux/amd64'] })
    expect((await ask('/')).data).toEqual(data)
  })

  test('lists what is no image with the reason', async () => {
    const artifact = await composeArtifact(store, { artifactType: 'application/vnd.example', layers: [] })
    await store.references.set('report:1', artifact.descriptor)
    const { data } = await ask('/')
    expect(data.images.find(({ name }: { name: string }) => name === 'report:1')).toMatchObject({
      platforms: [],
      fault: expect.stringContaining('not an image'),
    })
    expect(data.images[0]).not.toHaveProperty('fault')
    await store.references.delete('report:1')
  })

  test('makes the report of one image, of several, and of a platform of an index', async () => {
    const one = await ask('/report', { image: 'app:1' })
    expect(one).toMatchObject({ status: 200, data: { kind: 'report', home: '/' } })
    const two = await ask('/report', [
      ['image', 'app:1'],
      ['image', 'app:2'],
    ])
    expect(two.data.images.map(({ name }: { name: string }) => name)).toEqual(['app:1', 'app:2'])
    const platform = await ask('/report', { image: 'multi:1', platform: 'linux/amd64' })
    expect(platform.data.images[0].analysis.digest).toBe(one.data.images[0].analysis.digest)
  })

  test('gives a report as the name is now, not as it was', async () => {
    const before = (await readImage(store, 'app:1')).descriptor
    await ask('/report', { image: 'app:1' })
    await store.references.set('app:1', (await readImage(store, 'app:2')).descriptor)
    expect((await ask('/report', { image: 'app:1' })).data.images[0].analysis.layers).toHaveLength(3)
    await store.references.set('app:1', before)
  })

  test.each([
    [{ image: 'none:1' }, 404, 'ERR_REFERENCE_NOT_FOUND'],
    [{ image: 'multi:1', platform: 'linux/s390x' }, 404, 'ERR_PLATFORM_NOT_FOUND'],
    [{ image: 'app:1', platform: 'a/b/c/d/e' }, 400, 'ERR_INVALID_PLATFORM'],
    [{}, 400, 'ERR_INVALID_ARGUMENT'],
  ] as const)('answers %j with %i and a page that says why', async (query, status, code) => {
    expect(await ask('/report', query)).toMatchObject({ status, data: { kind: 'error', code, home: '/' } })
  })

  test('answers no other path', async () => {
    expect(await pages({ path: '/v2/', query: new URLSearchParams() })).toBeUndefined()
    expect(await pages({ path: '//report', query: new URLSearchParams() })).toBeUndefined()
  })

  test('every page forbids frames, foreign content and storage by others', async () => {
    for (const { headers } of [await ask('/'), await ask('/report', { image: 'none:1' })]) {
      expect(headers).toMatchObject({
        'Content-Security-Policy': expect.stringMatching(
          /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'$/,
        ),
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
        'Cross-Origin-Resource-Policy': 'same-origin',
        'Cache-Control': 'no-store',
      })
    }
  })

  test('a client that leaves gets no report, and the next one does', async () => {
    const leaving = new AbortController()
    const query = new URLSearchParams({ image: 'base:1' })
    const left = pages({ path: '/report', query, signal: leaving.signal })
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    expect((await ask('/report', { image: 'base:1' })).status).toBe(200)
  })
})
