import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { buildImage, dockerfileStages } from '../../lib/build/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { filesOf, outcomesOf } from '../helpers/build-files.ts'
import { fakeExecutor } from '../helpers/fake-executor.ts'
import { plainSnapshots } from '../helpers/plain-snapshots.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const GOOD = `FROM node:22
WORKDIR /app
COPY package.json ./
RUN npm ci
COPY . .
CMD ["node", "src/server.js"]
`
const BAD = `FROM node:22
WORKDIR /app
COPY . .
RUN npm ci
RUN npm run build
CMD ["node", "src/server.js"]
`

test('an edit of one file rebuilds one step in the good order and all after it in the bad one, and is named', async () => {
  using place = temporaryDirectory('order')
  await using store = await openStore(join(place.path, 'store'), { durability: 'none' })
  await sampleImage(store, [{ 'etc/os': 'base' }], { name: 'node:22' })
  const context = join(place.path, 'context')
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(context, path)), { recursive: true })
    writeFileSync(join(context, path), content)
  }
  const files = { 'package.json': '{}', 'src/server.js': 'one', 'src/other.js': 'x', '.dockerignore': 'Dockerfile' }
  for (const [path, content] of Object.entries(files)) write(path, content)
  let commands = 0
  const executor = fakeExecutor((_, inRoot) => {
    mkdirSync(inRoot('modules'), { recursive: true })
    writeFileSync(inRoot(`modules/${++commands}`), 'm')
    return 0
  })
  const build = (text: string, name: string) => {
    const options = { context, executor, snapshots: plainSnapshots(place.path), names: [name] }
    return buildImage(store, dockerfileStages(text), options)
  }

  await build(GOOD, 'good:1')
  await build(BAD, 'bad:1')
  write('src/server.js', 'two')

  const good = await build(GOOD, 'good:1')
  expect(outcomesOf(good)).toEqual([
    'cached WORKDIR /app',
    'cached COPY package.json ./',
    'cached RUN npm ci',
    'made COPY . .',
  ])
  expect(good.steps.find(({ title }) => title === 'COPY . .')!.reason).toBe(
    'src/server.js content differs (1 of 4 files)',
  )
  expect((await filesOf(store, good))['app/src/server.js']).toBe('file 644 0:0 two')

  const bad = await build(BAD, 'bad:1')
  expect(outcomesOf(bad)).toEqual(['cached WORKDIR /app', 'made COPY . .', 'made RUN npm ci', 'made RUN npm run build'])
  expect(bad.steps.find(({ title }) => title === 'COPY . .')!.reason).toContain('src/server.js content differs')
  expect(bad.steps.find(({ title }) => title === 'RUN npm ci')!.reason).toBe('the layers below differ')

  // A comment in the Dockerfile, other labels and another command change no key.
  const edited = GOOD.replace('COPY .', '# copied last\nLABEL a=b\nCOPY .').replace('server.js"', 'other.js"')
  expect(outcomesOf(await build(edited, 'good:1')).every(outcome => outcome.startsWith('cached'))).toBe(true)

  // Without a policy a collection keeps what the cache needs, and with one it drops what was not used.
  await runCollection(store, await planCollection(store))
  expect(outcomesOf(await build(GOOD, 'good:1')).every(outcome => outcome.startsWith('cached'))).toBe(true)
  await runCollection(store, await planCollection(store, { maxBytes: 0, graceMs: 0, force: true }))
  expect(await store.derived.list('cache')).toEqual([])
})
