import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeImage } from '../../../lib/image/index.ts'
import { adviseSplit, htmlReport, measureDedup } from '../../../lib/inspect/index.ts'
import type { PackedDirectory } from '../../../lib/inspect/report/pack-tree.ts'
import type { ReportedImage } from '../../../lib/inspect/report/report-data.ts'
import { writeLayer } from '../../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { HOSTILE_NAMES, reportedImages } from '../../helpers/reported-images.ts'

let store: Store
beforeAll(async () => {
  store = await reportedImages()
})
afterAll(() => store.close())

const page = (...images: string[]) => htmlReport(images.map(image => ({ store, image })))

/** The data in a block of a page. */
function blockOf(text: string, id: string) {
  const [, json] = new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, 's').exec(text) ?? []
  return JSON.parse(json ?? 'null')
}

/** Sum of the sizes in a packed directory. */
function bytesOf([, , sizes, , directories, grouped = []]: PackedDirectory): number {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return sum(sizes) + sum(directories.map(bytesOf)) + sum(grouped.map(([, , bytes]) => bytes))
}

describe('htmlReport', () => {
  test('holds the analysis, the steps and every stored file of an image', async () => {
    const text = await page('app:1')
    const { kind, images } = blockOf(text, 'data')
    expect({ kind, name: images[0].name, home: blockOf(text, 'data').home }).toEqual({ kind: 'report', name: 'app:1' })
    expect(images[0].analysis.waste.bytes).toBe(59_000)
    expect(images[0].steps.map(({ layer }: { layer: number }) => layer)).toEqual([0, 1])
    const tree = blockOf(text, 'tree-0')
    expect(tree).toMatchObject({ grouped: 0, groupedBelow: 0 })
    expect(bytesOf(tree.root)).toBe(images[0].analysis.bytes)
    const lib = tree.root[4].find(([name]: [string]) => name === 'usr')[4].find(([name]: [string]) => name === 'lib')
    // Of both layers: seen in layer 1, hidden in layer 0.
    expect([lib[1], lib[2], lib[3]]).toEqual(['big/big', [50_000, 50_000], [2, 1]])
  })

  test('is the same for the same images, and has no time and no address', async () => {
    const text = await page('app:1')
    expect(await page('app:1')).toBe(text)
    const addresses = text.match(/\b(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/gi) ?? []
    expect(addresses.filter(address => address !== 'http://www.w3.org')).toEqual([])
  })

  test('has a policy that admits its own script and style by their hashes and nothing else', async () => {
    const text = await page('hostile:1')
    const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(text) ?? []
    const hashOf = (pattern: RegExp) =>
      `'sha256-${createHash('sha256')
        .update(pattern.exec(text)?.[1] ?? '')
        .digest('base64')}'`
    const script = hashOf(/<script type="module">(.*?)<\/script>/s)
    const style = hashOf(/<style>(.*?)<\/style>/s)
    expect(policy).toBe(
      `default-src 'none'; script-src ${script}; style-src ${style}; img-src data:; base-uri 'none'; form-action 'none'`,
    )
  })

  test('writes no name, command or variable as markup', async () => {
    const text = await page('hostile:1')
    expect(text.match(/<script/g)).toHaveLength(3)
    expect(text.match(/<\/script/g)).toHaveLength(3)
    expect(text).not.toMatch(/<img|<!--|[\u007f-\u009f\u2028\u2029\u202e\u001b]/)
    const names = blockOf(text, 'tree-0').root[4].map(([name]: [string]) => name)
    expect(names.sort()).toEqual(HOSTILE_NAMES.map(name => name.replaceAll('/', '∕')).sort())
  })

  test('escapes the names of images in its title', async () => {
    const text = await htmlReport([{ store, image: 'app:1', name: '</title><script>"\'&\u202e' }])
    expect(text).toContain('<title>&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;\\u202e · layerstore</title>')
  })

  test('does not show the values of secret variables', async () => {
    const text = await page('hostile:1')
    expect(text).toContain('API_TOKEN=•••')
    expect(text).not.toContain('hunter2')
  })

  test.each([
    ['of ENV', 'ENV DB_PASSWORD=correct horse # buildkit', ['DB_PASSWORD=correct horse']],
    ['of ENV as docker wrote it before', '/bin/sh -c #(nop)  ENV DB_PASSWORD=horse', ['DB_PASSWORD=horse']],
    ['of ENV without an equals sign', 'ENV DB_PASSWORD horse', ['DB_PASSWORD=horse']],
    ['of ARG with a quote in it', 'ARG DB_PASSWORD="correct\\" horse"', []],
    ['of build arguments with spaces', '|2 A=1 DB_PASSWORD=correct b=horse /bin/sh -c make A=1', []],
    ['of a command', 'RUN |1 DB_PASSWORD=horse /bin/sh -c DB_PASSWORD=big\\ horse make # buildkit', []],
    ['of a quote without an end', '|1 DB_PASSWORD=horse /bin/sh -c DB_PASSWORD="horse', []],
  ])('does not show the secret value %s, neither in steps nor in shared layers', async (_, created_by, Env) => {
    const layer = await writeLayer(store, [{ path: 'a', type: 'file', content: created_by }], { hasher: 'native' })
    const layers = [{ ...layer, history: { created_by } }]
    const { descriptor } = await composeImage(store, { layers, platform: 'linux/amd64', config: { Env } })
    await store.references.set('secret:1', descriptor)
    const { images, shared } = blockOf(await page('secret:1', 'secret:1'), 'data')
    for (const text of [
      images[0].steps[0].command,
      images[0].analysis.layers[0].createdBy,
      shared.layers[0].createdBy,
    ]) {
      expect(text).toContain('DB_PASSWORD=•••')
      expect(text).not.toMatch(/correct|horse/)
    }
  })

  test('says of several images what they share, what their files need once, and advice that it is given', async () => {
    const images = ['app:1', 'app:2', 'base:1'].map(image => ({ store, image }))
    const dedup = await measureDedup(images, { hasher: 'native' })
    const split = await adviseSplit(images.slice(0, 2), { hasher: 'native' })
    const data = blockOf(await htmlReport(images, { dedup, split, home: '/' }), 'data')
    const { layers, kept } = data.shared
    expect(layers.map((layer: { images: number[] }) => layer.images)).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    const [first, second, lower] = data.images.map((image: ReportedImage) => image.analysis.bytes)
    expect(kept).toMatchObject({ image: first + second + lower, layer: second })
    expect(kept.file).toBeLessThan(kept.layer)
    expect(data.shared.images[1]).toMatchObject({ layerBytes: first, ownBytes: 21_000 })
    expect(data.dedup.levels).toHaveLength(4)
    expect(data.split.releases).toHaveLength(2)
    expect(data.home).toBe('/')
  })

  test.each([0, 33])('refuses %i images', async count => {
    const images = Array.from({ length: count }, () => ({ store, image: 'app:1' }))
    await expect(htmlReport(images)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

test('a page about 50,000 files has less than 2 MB and lists all of them', async () => {
  await using many = createMemoryStore()
  const files = Array.from({ length: 50_000 }, (_, i) => ({
    path: `usr/lib/node_modules/package-${i % 700}/lib/part-${i % 13}/module-name-${i}.js`,
    type: 'file' as const,
    content: Buffer.alloc(1 + (i % 97)),
  }))
  const layer = await writeLayer(many, files, { compression: 'none', hasher: 'native' })
  const image = await composeImage(many, { layers: [layer] })
  const text = await htmlReport([{ store: many, image: image.descriptor }], { hasher: 'native' })
  expect(Buffer.byteLength(text)).toBeLessThan(2_000_000)
  expect(blockOf(text, 'tree-0').grouped).toBe(0)
})
