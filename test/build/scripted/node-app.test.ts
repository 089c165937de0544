import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage, nodeApp, staticSite } from '../../../lib/build/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { filesOf, outcomesOf } from '../../helpers/build-files.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

let store: Store
let place: ReturnType<typeof temporaryDirectory>
beforeEach(async () => {
  store = createMemoryStore()
  place = temporaryDirectory('node-app')
  const passwd = 'node:x:1000:1000::/home/node:/bin/sh\n'
  await sampleImage(store, [{ 'etc/passwd': passwd }], { name: 'node:22-slim' })
  await sampleImage(store, [{ 'usr/share/nginx/html/index.html': 'welcome' }], { name: 'nginx:alpine' })
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place.path, path)), { recursive: true })
    writeFileSync(join(place.path, path), content)
  }
}

const lock = {
  lockfileVersion: 3,
  packages: {
    '': {},
    'node_modules/used': { bin: { used: 'cli.js' } },
    'node_modules/used/node_modules/inner': {},
    'node_modules/tool': { dev: true, bin: { tool: 'cli.js', used: 'other.js' } },
    'node_modules/@scope/test': { dev: true },
    'node_modules/fast': { optional: true },
    'node_modules/local': { link: true },
  },
}

function project(): void {
  write({
    'package.json': JSON.stringify({ scripts: { start: 'node src/server.js' }, main: 'other.js' }),
    'package-lock.json': JSON.stringify(lock),
    'src/server.js': 'serve()',
    '.git/HEAD': 'ref',
    '.dockerignore': 'node_modules\n',
    'node_modules/used/cli.js': 'used',
    'node_modules/used/node_modules/inner/i.js': 'inner',
    'node_modules/tool/cli.js': 'tool',
    'node_modules/@scope/test/t.js': 'test',
    'node_modules/.cache/x': 'cache',
  })
  mkdirSync(join(place.path, 'node_modules/.bin'))
  symlinkSync('../used/cli.js', join(place.path, 'node_modules/.bin/used'))
  symlinkSync('../tool/cli.js', join(place.path, 'node_modules/.bin/tool'))
}

describe('a Node application', () => {
  test('has the packages that its lock file needs in one layer, and its own files in another', async () => {
    project()
    const result = await buildImage(store, await nodeApp(place.path, { store }))
    const found = await filesOf(store, result)
    expect(Object.keys(found).filter(path => path.startsWith('app/') && !found[path]!.startsWith('directory'))).toEqual(
      [
        'app/.dockerignore',
        'app/node_modules/.bin/used',
        'app/node_modules/used/cli.js',
        'app/node_modules/used/node_modules/inner/i.js',
        'app/package-lock.json',
        'app/package.json',
        'app/src/server.js',
      ],
    )
    expect(result.images[0]!.config.config).toMatchObject({
      Cmd: ['node', 'src/server.js'],
      User: 'node',
      WorkingDir: '/app',
      Env: expect.arrayContaining(['NODE_ENV=production']),
    })
    write({ 'src/server.js': 'edited()' })
    expect(outcomesOf(await buildImage(store, await nodeApp(place.path)))).toEqual([
      'cached WORKDIR /app',
      'cached COPY . node_modules/',
      'made COPY . .',
    ])
  })

  test('without packages, with another entry, base, place and user', async () => {
    write({ 'package.json': '{"main":"m.js"}', 'package-lock.json': '{"lockfileVersion":2,"packages":{}}', 'm.js': '' })
    const options = { base: 'scratch', at: '/srv', user: null, exclude: ['*.json'] } as const
    const result = await buildImage(store, await nodeApp(place.path, options))
    expect(Object.keys(await filesOf(store, result))).toEqual(['srv', 'srv/m.js'])
    expect(result.images[0]!.config.config).toMatchObject({ Cmd: ['node', 'm.js'] })
    const own = await buildImage(store, await nodeApp(place.path, { ...options, entry: 'x.mjs' }))
    expect(own.images[0]!.config.config).toMatchObject({ Cmd: ['node', 'x.mjs'] })
  })

  test.each([
    [
      'no lock file',
      'package-lock.json',
      undefined,
      'ERR_BUILD_SOURCE_NOT_FOUND',
      /no npm-shrinkwrap.json or package-lock/,
    ],
    [
      'a lock file of version 1',
      'package-lock.json',
      '{"lockfileVersion":1}',
      'ERR_BUILD_INVALID_STEP',
      /version 2 or 3/,
    ],
    ['a lock file that is no JSON', 'package-lock.json', 'x', 'ERR_BUILD_INVALID_STEP', /is not JSON/],
    ['no package.json', 'package.json', undefined, 'ERR_BUILD_SOURCE_NOT_FOUND', /no package.json/],
    ['a package.json that is no JSON', 'package.json', 'x', 'ERR_BUILD_INVALID_STEP', /package.json is not JSON/],
    ['nothing to start', 'package.json', '{}', 'ERR_BUILD_INVALID_STEP', /set the option entry/],
    [
      'a start script of another form',
      'package.json',
      '{"scripts":{"start":"node --x y"}}',
      'ERR_BUILD_INVALID_STEP',
      /entry/,
    ],
  ])('is refused with %s', async (_, file, content, code, message) => {
    project()
    if (content === undefined) rmSync(join(place.path, file))
    else write({ [file]: content })
    expect(await thrownBy(() => nodeApp(place.path))).toMatchObject({ code, message })
  })

  test('is refused if a package is not installed', async () => {
    project()
    rmSync(join(place.path, 'node_modules/used'), { recursive: true })
    expect(await thrownBy(() => nodeApp(place.path))).toMatchObject({
      code: 'ERR_BUILD_SOURCE_NOT_FOUND',
      message: expect.stringMatching(
        /2 packages of the lock file are not installed: used, used\/node_modules\/inner; run npm ci/,
      ),
    })
  })
})

test('a static site is a directory for a web server, readable whatever the modes of the files', async () => {
  write({ 'index.html': 'hi', 'css/a.css': 'a', '.git/HEAD': 'x' })
  const result = await buildImage(store, await staticSite(place.path))
  const found = await filesOf(store, result)
  expect(found['usr/share/nginx/html/index.html']).toBe('file 644 0:0 hi')
  expect(found['usr/share/nginx/html/css']).toBe('directory 755 0:0')
  expect(found['usr/share/nginx/html/.git']).toBeUndefined()
  expect(result.images[0]!.config.config).toMatchObject({ ExposedPorts: { '80/tcp': {} } })
  const other = { base: 'scratch', at: '/www/', port: 8080, exclude: ['css'] }
  const small = await buildImage(store, await staticSite(place.path, other))
  expect(Object.keys(await filesOf(store, small))).toEqual(['www', 'www/.git', 'www/.git/HEAD', 'www/index.html'])
})
