import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
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

describe('images as docker lists them', () => {
  const setUp = async () => {
    const place = temporaryDirectory('images')
    await using store = await openStore(join(place.path, 'store'))
    const config = { Labels: { team: 'a' } }
    const app = await sampleImage(store, [{ a: '1' }], { name: 'app:1', config })
    await store.references.set('app:2', app.descriptor)
    await sampleImage(store, [{ b: '2' }], { name: 'ghcr.io/o/tool:1', architecture: 'arm64' })
    const run = async (...args: string[]) =>
      (await cli(['images', ...args], { store: join(place.path, 'store') })).stdout
    return { place, app, run }
  }

  test('a pattern and filters choose, those of one kind are alternatives', async () => {
    const { place, run } = await setUp()
    using _ = place
    const names = async (...args: string[]) => (await run(...args, '--format', '{{.Name}}')).trim().split('\n')
    expect(await names('app')).toEqual(['app:1', 'app:2'])
    expect(await names('app:2')).toEqual(['app:2'])
    expect(await names('--filter', 'reference=ghcr.io/*/tool')).toEqual(['ghcr.io/o/tool:1'])
    expect(await names('--filter', 'reference=ghcr.io/*')).toEqual([''])
    expect(await names('--filter', 'label=team=a', '--filter', 'reference=*:1')).toEqual(['app:1'])
    expect(await names('--filter', 'label=team')).toEqual(['app:1', 'app:2'])
    expect(await names('--filter', 'label=team=b')).toEqual([''])
    expect(await names('--filter', 'platform=linux/arm*')).toEqual(['ghcr.io/o/tool:1'])
    expect(await names('--filter', 'dangling=true')).toEqual([''])
    expect(await names('--filter', 'dangling=false')).toHaveLength(3)
  })

  test('--quiet prints each digest once, --digests and --no-trunc print it in full', async () => {
    const { place, app, run } = await setUp()
    using _ = place
    const { digest } = app.descriptor
    expect(await run('app', '-q')).toBe(`${digest}\n`)
    expect(await run('app:1', '--digests')).toContain(digest)
    expect(await run('app:1', '--no-trunc')).toContain(digest)
    expect(await run('app:1')).not.toContain(digest)
  })

  test('--format fills docker’s fields', async () => {
    const { place, app, run } = await setUp()
    using _ = place
    const id = app.descriptor.digest.slice(7, 19)
    expect(await run('app:1', '--format', '{{.Repository}} {{.Tag}} {{.ID}} {{.CreatedSince}} {{.Platform}}')).toBe(
      `app 1 ${id} N/A linux/amd64\n`,
    )
    expect(await run('ghcr.io/o/tool', '--format', 'table {{.Repository}}\t{{.Tag}}')).toMatch(
      /^REPOSITORY +TAG\nghcr.io\/o\/tool +1\n$/,
    )
    expect(JSON.parse(await run('app:1', '--format', 'json'))).toMatchObject({
      Repository: 'app',
      Tag: '1',
      Digest: app.descriptor.digest,
    })
    expect(await run('app:1', '--format', '{{.Digest}}')).toBe(`${app.descriptor.digest}\n`)
  })

  test('an unknown filter is wrong usage', async () => {
    using place = temporaryDirectory('images')
    const { code, stderr } = await cli(['images', '--filter', 'ancestor=app:1'], { store: join(place.path, 'store') })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--filter takes reference=PATTERN') })
  })

  test('many images cause no warning of the process', async () => {
    const { place, app } = await setUp()
    using _ = place
    await using store = await openStore(join(place.path, 'store'))
    for (let i = 0; i < 20; i++) await store.references.set(`many:${i}`, app.descriptor)
    const warned: Error[] = []
    const note = (warning: Error) => void warned.push(warning)
    process.on('warning', note)
    await cli(['images', '-j', '1'], { store: join(place.path, 'store') })
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', note)
    expect(warned).toEqual([])
  })
})
