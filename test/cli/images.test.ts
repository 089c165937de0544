import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test('an image that cannot be read hides none of the others in a listing', async () => {
  using directory = temporaryDirectory('images')
  const store = directory.path
  {
    await using opened = await openStore(store)
    for (const name of ['a:1', 'b:1', 'c:1']) await sampleImage(opened, [{ [name]: name }], { name })
    const { digest } = (await opened.references.get('b:1'))!
    const path = join(store, 'blobs', digest.replace(':', '/'))
    const text = readFileSync(path, 'utf8').replace('layers', 'layerz')
    rmSync(path)
    writeFileSync(path, text)
  }
  const table = await cli(['images'], { store })
  expect(table.code).toBe(0)
  expect(table.stderr).toMatch(/^warning: b:1: .*\(ERR_BLOB_CORRUPT\)\n$/)
  expect(table.stdout.split('\n').map(line => line.split(/ +/)[0])).toEqual(['NAME', 'a:1', 'b:1', 'c:1', ''])
  const { stdout } = await cli(['--json', 'images'], { store })
  expect(JSON.parse(stdout)).toMatchObject([
    { name: 'a:1', platforms: ['linux/amd64'] },
    { name: 'b:1', platforms: [], error: { code: 'ERR_BLOB_CORRUPT' } },
    { name: 'c:1', platforms: ['linux/amd64'] },
  ])
  const usage = JSON.parse((await cli(['--json', 'df'], { store })).stdout)
  expect(usage.images.map(({ name }: { name: string }) => name)).toEqual(['a:1', 'b:1', 'c:1'])
})

test('images lists names of unreadable images after the others', async () => {
  using directory = temporaryDirectory('images')
  const store = directory.path
  {
    await using opened = await openStore(store)
    for (const name of ['a:1', 'c:1']) await sampleImage(opened, [{ [name]: name }], { name })
  }
  const index = JSON.parse(readFileSync(join(store, 'index.json'), 'utf8'))
  index.manifests.push({ digest: 'x', annotations: { 'org.opencontainers.image.ref.name': 'b:1' } })
  writeFileSync(join(store, 'index.json'), JSON.stringify(index))
  const { code, stdout, stderr } = await cli(['images'], { store })
  expect(stdout.split('\n').map(line => line.split(/ +/)[0])).toEqual(['NAME', 'a:1', 'c:1', ''])
  expect(code).toBe(1)
  expect(stderr).toContain('ERR_STORE_FORMAT')
})
