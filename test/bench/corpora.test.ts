import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { chunksOf } from '../../bench/contenders/chunker.mjs'
import { contentOf } from '../../bench/corpora/content.mjs'
import { duplicateHeavy } from '../../bench/corpora/duplicate-heavy.mjs'
import { fewLarge } from '../../bench/corpora/few-large.mjs'
import { incompressible } from '../../bench/corpora/incompressible.mjs'
import { manySmall } from '../../bench/corpora/many-small.mjs'
import { versionFamily } from '../../bench/corpora/version-family.mjs'

interface Entry {
  path: string
  type: string
  mode?: number
  linkname?: string
  content?: () => Uint8Array | Iterable<Uint8Array>
}

const bytesOf = ({ content }: Entry): Uint8Array => {
  const made = content?.() ?? new Uint8Array()
  return made instanceof Uint8Array ? made : Buffer.concat([...made])
}

function fingerprint(entries: Iterable<Entry>): string {
  const hash = createHash('sha256')
  for (const entry of entries) {
    hash.update(`${entry.type} ${entry.path} ${entry.mode} ${entry.linkname}\n`)
    hash.update(bytesOf(entry))
  }
  return hash.digest('hex')
}

const family = () => [...versionFamily({ versions: 4, bytes: 4e5 })].flatMap(({ layers }) => layers)
const corpora: Record<string, () => Iterable<Entry>> = {
  'many-small': () => manySmall({ files: 200, bytes: 1e6 }),
  'few-large': () => fewLarge({ bytes: 3e6 }),
  incompressible: () => incompressible({ bytes: 2 ** 20 }),
  'duplicate-heavy': () => duplicateHeavy({ files: 60, distinct: 20 }),
  'version-family': () => family().flatMap(({ entries }) => entries),
}

// Digests computed with Node 20. Other versions and machines must generate the same bytes, or figures could not be
// compared.
const KNOWN: Record<string, string> = {
  'many-small': 'b9f2dcb782234657',
  'few-large': '4ed622c1e0a7324e',
  incompressible: '5117a02a4868bf66',
  'duplicate-heavy': 'd2ed7ac0b9a18d74',
  'version-family': 'eac153bff91e1151',
}

describe('corpora', () => {
  test.each(Object.entries(corpora))('%s is the same every time and everywhere', (name, make) => {
    const made = fingerprint(make())
    expect(fingerprint(make())).toBe(made)
    expect(made.slice(0, 16)).toBe(KNOWN[name])
  })

  test('another seed gives other content', () => {
    expect(fingerprint(manySmall({ files: 20, bytes: 1e5, seed: 'a1' }))).not.toBe(
      fingerprint(manySmall({ files: 20, bytes: 1e5, seed: 'a2' })),
    )
  })

  test('no path comes twice, and links point to a file beside them', () => {
    const entries = [...manySmall({ files: 400, bytes: 1e6 })] as Entry[]
    const paths = new Set(entries.map(({ path }) => path))
    expect(paths.size).toBe(entries.length)
    const links = entries.filter(({ type }) => type === 'symlink')
    expect(links.length).toBeGreaterThan(0)
    for (const { path, linkname } of links) expect(paths).toContain(path.replace(/[^/]+$/, linkname!))
  })

  test('many small files deflate to about a third, like an operating system', () => {
    const all = Buffer.concat([...(manySmall({ files: 1000, bytes: 10e6 }) as Iterable<Entry>)].map(bytesOf))
    expect(all.length).toBeGreaterThan(9.9e6)
    const ratio = gzipSync(all).length / all.length
    expect(ratio).toBeGreaterThan(0.28)
    expect(ratio).toBeLessThan(0.37)
  })

  test('packed content does not deflate at all', () => {
    const bytes = contentOf('packed', 1, 1e5)
    expect(gzipSync(bytes).length).toBeGreaterThan(bytes.length)
  })

  test('a release changes the app, and leaves the base alone until its turn', () => {
    const [first, second] = [...versionFamily({ versions: 2, bytes: 4e5 })].map(({ layers }) =>
      layers.map(({ entries }: { entries: Entry[] }) => fingerprint(entries)),
    )
    expect(second![0]).toBe(first![0])
    expect(second![1]).toBe(first![1])
    expect(second![2]).not.toBe(first![2])
  })
})

describe('the chunker', () => {
  const bytes = contentOf('text', 'chunker', 1e6)
  const sizes = [...chunksOf(bytes)].map(chunk => chunk.length)

  test('cuts all bytes into chunks within bounds and near the mean', () => {
    expect(bytes.equals(Buffer.concat([...chunksOf(bytes)]))).toBe(true)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536)
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(2048)
    expect(1e6 / sizes.length).toBeGreaterThan(6000)
    expect(1e6 / sizes.length).toBeLessThan(12_000)
  })

  test('an insertion leaves the chunks far from it as they were', () => {
    const edited = Buffer.concat([bytes.subarray(0, 5e5), Buffer.from('inserted'), bytes.subarray(5e5)])
    const digests = (data: Uint8Array) =>
      [...chunksOf(data)].map(chunk => createHash('sha256').update(chunk).digest('hex'))
    const before = new Set(digests(bytes))
    const changed = digests(edited).filter(digest => !before.has(digest))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.length).toBeLessThanOrEqual(4)
  })
})
