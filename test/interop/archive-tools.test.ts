import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadArchive, openArchive, saveArchive } from '../../lib/archive/index.ts'
import { composeImage, type Image, readImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { parsePlatform } from '../../lib/oci/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { containers } from '../helpers/containers.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { program } from '../helpers/program.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const platform = parsePlatform('linux/amd64')
const here = ['--override-os', 'linux', '--override-arch', 'amd64']

let place: ReturnType<typeof temporaryDirectory>
let store: Store
let app: Image
const at = (name: string) => join(place.path, name)
const formats = ['oci', 'docker'] as const

beforeAll(async () => {
  place = temporaryDirectory('archive-tools')
  store = createMemoryStore()
  const layers = [
    await writeLayer(store, [
      { path: 'etc', type: 'directory' },
      { path: 'etc/conf', type: 'file', content: 'a = 1', mode: 0o640 },
    ]),
    await writeLayer(store, [{ path: 'bin/tool', type: 'file', content: '#!/bin/sh\n', mode: 0o755 }]),
  ]
  app = await composeImage(store, { layers, platform, config: { Cmd: ['/bin/tool'] } })
  const db = await composeImage(store, { layers: layers.slice(0, 1), platform })
  await store.references.set('app:1', app.descriptor)
  await store.references.set('ghcr.io/o/db:2', db.descriptor)
  for (const format of formats) {
    await saveArchive(store, 'app:1', at(`${format}.tar`), { format })
    await saveArchive(store, ['app:1', 'ghcr.io/o/db:2'], at(`${format}-both.tar`), { format })
  }
})
afterAll(async () => {
  await store.close()
  place[Symbol.dispose]()
})

/**
 * Expects the archive of another program to hold image `app`: the same config bytes and content, by every way to read
 * it.
 */
async function holdsApp(path: string, options: { names?: string[]; sameConfig?: boolean; image?: string } = {}) {
  const { names, sameConfig = true, image } = options
  for (const way of ['open', 'load', 'stream']) {
    await using loaded = createMemoryStore()
    await using opened = way === 'open' ? await openArchive(path, { image }) : undefined
    const images = opened
      ? opened.images
      : await loadArchive(loaded, way === 'load' ? path : createReadStream(path), { image })
    expect(images).toHaveLength(1)
    if (names) expect(images[0]!.names).toEqual(names)
    const from = opened ?? loaded
    const theirs = await readImage(from, images[0]!.descriptor, { platform })
    if (sameConfig) expect(theirs.manifest.config.digest).toBe(app.manifest.config.digest)
    expect(theirs.config.rootfs).toEqual(app.config.rootfs)
    const view = await openUnionView(from, images[0]!.descriptor, { platform })
    expect((await readAll(view.read('etc/conf'))).toString()).toBe('a = 1')
    expect(view.stat('bin/tool')).toMatchObject({ mode: 0o755 })
  }
}

test.each(['tar', 'bsdtar'])('%s lists and unpacks both formats without a warning', async name => {
  if (!needsProgram(name)) return
  for (const format of formats) {
    const listed = (await program(name, ['-tf', at(`${format}.tar`)])).trim().split('\n')
    expect(listed.slice(0, 2)).toEqual(['oci-layout', 'index.json'])
    expect(listed).toContain(`blobs/sha256/${app.descriptor.digest.slice(7)}`)
    const target = at(`${name}-${format}`)
    mkdirSync(target)
    expect(execFileSync(name, ['-xf', at(`${format}.tar`), '-C', target], { stdio: 'pipe' }).toString()).toBe('')
    expect(existsSync(join(target, 'manifest.json'))).toBe(format === 'docker')
  }
})

test.runIf(needsProgram('tar'))(
  'an archive that tar packs again is the same image, also compressed and with ./ prefixes',
  async () => {
    const target = at('packed')
    mkdirSync(target)
    await program('tar', ['-xf', at('docker.tar'), '-C', target])
    await program('tar', ['-czf', at('again.tar.gz'), '-C', target, '.'])
    await holdsApp(at('again.tar.gz'), { names: ['app:1'] })
  },
)

test.runIf(needsProgram('zstd'))('an archive compressed by zstd is read', async () => {
  await program('zstd', ['-q', at('docker.tar'), '-o', at('docker.tar.zst')])
  await holdsApp(at('docker.tar.zst'), { names: ['app:1'] })
})

test.runIf(needsProgram('umoci'))('umoci unpacks an image of the layout in either format', async () => {
  for (const format of formats) {
    const layout = at(`umoci-${format}`)
    mkdirSync(layout)
    await program('tar', ['-xf', at(`${format}.tar`), '-C', layout])
    await program('umoci', ['unpack', '--rootless', '--image', `${layout}:app:1`, at(`bundle-${format}`)])
    expect(readFileSync(at(`bundle-${format}/rootfs/etc/conf`), 'utf8')).toBe('a = 1')
  }
})

describe.runIf(needsProgram('skopeo'))('skopeo', () => {
  const copy = (from: string, to: string) => program('skopeo', ['--insecure-policy', ...here, 'copy', '-q', from, to])

  test('reads both formats, by name and as the only image', async () => {
    const sources = [
      `oci-archive:${at('oci.tar')}`,
      `oci-archive:${at('oci.tar')}:app:1`,
      `oci-archive:${at('docker-both.tar')}:app:1`,
      `docker-archive:${at('docker.tar')}`,
      `docker-archive:${at('docker-both.tar')}:app:1`,
      `docker-archive:${at('docker-both.tar')}:docker.io/library/app:1`,
    ]
    for (const [i, source] of sources.entries()) {
      await copy(source, `dir:${at(`skopeo-${i}`)}`)
      const raw = readFileSync(at(`skopeo-${i}/manifest.json`), 'utf8')
      expect(JSON.parse(raw).config.digest).toBe(app.manifest.config.digest)
      // The manifest.json of docker has no manifest; only there skopeo builds one of its own.
      if (i < 3) expect(raw).toBe((await readAll(store.read(app.descriptor.digest))).toString())
    }
  })

  test('writes both formats, and keeps the digests that the format has', async () => {
    await copy(`oci-archive:${at('oci.tar')}`, `oci-archive:${at('skopeo-oci.tar')}:v1`)
    await holdsApp(at('skopeo-oci.tar'), { names: ['v1:latest'] })
    await using archive = await openArchive(at('skopeo-oci.tar'))
    expect(archive.find('v1').descriptor.digest).toBe(app.descriptor.digest)
    await copy(`oci-archive:${at('oci.tar')}`, `docker-archive:${at('skopeo-docker.tar')}:q/app:1`)
    await holdsApp(at('skopeo-docker.tar'), { names: ['q/app:1'] })
    await copy(`oci-archive:${at('oci.tar')}`, `docker-archive:${at('skopeo-nameless.tar')}`)
    await holdsApp(at('skopeo-nameless.tar'), { names: [] })
  })

  test('reads the same layers back after an archive of docker, a store and another archive', async () => {
    await copy(`docker-archive:${at('docker.tar')}`, `docker-archive:${at('once.tar')}:x/app:1`)
    await using between = createMemoryStore()
    await loadArchive(between, at('once.tar'))
    await saveArchive(between, 'x/app:1', at('twice.tar'), { format: 'docker' })
    await copy(`docker-archive:${at('twice.tar')}`, `docker-archive:${at('thrice.tar')}:x/app:1`)
    expect(readFileSync(at('thrice.tar')).equals(readFileSync(at('once.tar')))).toBe(true)
  })
})

describe.each(['buildah', 'podman'])('%s', name => {
  const there = needsProgram(name)
  test.runIf(there)('pulls from both formats and pushes to both', async () => {
    using tool = containers(name)
    const { run } = tool
    await run('pull', '-q', `oci-archive:${at('oci.tar')}:app:1`)
    await run('pull', '-q', `docker-archive:${at('docker-both.tar')}:app:1`)
    const [, id] = app.manifest.config.digest.split(':')
    expect(await run('images', '-q', '--no-trunc')).toContain(id)
    await run('push', '-q', id!, `docker-archive:${at(`${name}-docker.tar`)}:x/app:1`)
    await holdsApp(at(`${name}-docker.tar`), { image: 'x/app:1' })
    await run('push', '-q', id!, `oci-archive:${at(`${name}-oci.tar`)}:v1`)
    await holdsApp(at(`${name}-oci.tar`), { names: ['v1:latest'], sameConfig: false })
    await run('rmi', '--all', '--force')
  })

  test.runIf(there && name === 'podman')('loads our archives, and saves archives that we load', async () => {
    using tool = containers(name)
    const { run } = tool
    expect(await run('load', '-i', at('docker-both.tar'))).toMatch(/docker.io\/library\/app:1\n.*ghcr.io\/o\/db:2/s)
    expect(await run('load', '-i', at('oci.tar'))).toContain('app:1')
    await run('save', '-q', '-m', '-o', at('podman-both.tar'), 'docker.io/library/app:1', 'ghcr.io/o/db:2')
    await holdsApp(at('podman-both.tar'), { image: 'app:1' })
    await using both = createMemoryStore()
    expect((await loadArchive(both, at('podman-both.tar'))).map(({ names }) => names)).toEqual([
      ['app:1'],
      ['ghcr.io/o/db:2'],
    ])
    await run('rmi', '--all', '--force')
  })
})
