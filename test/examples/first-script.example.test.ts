import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import * as layerstore from '../../lib/index.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')
const before = process.cwd()
afterEach(() => process.chdir(before))

test("the README's first script runs as it stands and pushes the image", async () => {
  using directory = temporaryDirectory('readme')
  mkdirSync(join(directory.path, 'dist'))
  writeFileSync(join(directory.path, 'dist/server.js'), 'console.log("served")')
  const remote = layerstore.createMemoryStore()
  await using server = await serveStore(remote)
  const [, script = ''] = /## A first script[\s\S]*?```js\n([\s\S]*?)```/.exec(readme) ?? []
  const body = script
    .replace(/^import \{([^}]+)\} from 'layerstore'\n/, 'const {$1} = layerstore\n')
    .replaceAll('localhost:5000', server.host)
  expect(body).toContain('runPush')
  expect(body).not.toContain('import')
  process.chdir(directory.path)
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>
  await new AsyncFunction('layerstore', 'console', body)(layerstore, {
    log: (...args: unknown[]) => printed.push(...args),
  })
  expect(await remote.references.get('app:1.0')).toBeDefined()
  expect(printed[1]).toContain('layer: upload, missing there; mounted if another repository has it, else uploaded')
})
