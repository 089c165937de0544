import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { pushImage } from '../../lib/transfer/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { ref, registry, serveRegistry, store } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

serveRegistry()
const directory = temporaryDirectory('pin')
afterAll(() => directory[Symbol.dispose]())
const file = join(directory.path, 'Dockerfile')
let base: string
let digest: string

async function push(text: string): Promise<string> {
  await sampleImage(store, [{ file: text }], { name: 'base' })
  await pushImage(store, registry, 'base', base)
  return (await store.references.get('base'))!.digest
}

beforeEach(async () => {
  base = ref('team/base:1')
  digest = await push('one')
  writeFileSync(file, `# the base\r\nFROM ${base} AS a\r\n`)
})

test('pin writes the digest of the registry into the file, through a link and with its mode', async () => {
  const before = readFileSync(file, 'utf8')
  const link = join(directory.path, 'link')
  symlinkSync('Dockerfile', link)
  chmodSync(file, 0o640)
  const run = await cli(['pin', link])
  expect(run).toMatchObject({
    code: 0,
    stdout: `${link}:2:6: ${base}: pinned as ${base}@${digest}\n`,
    stderr: `${link}: 1 pinned, 0 kept, 0 moved, 0 cannot be pinned\n`,
  })
  expect(readFileSync(file, 'utf8')).toBe(before.replace(base, `${base}@${digest}`))
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o640)
  expect(readdirSync(directory.path).sort()).toEqual(['Dockerfile', 'link'])
})

test('pin --check writes nothing, and ends with 1 for an image without digest and for a moved tag', async () => {
  const before = readFileSync(file, 'utf8')
  expect(await cli(['pin', file, '--check'])).toMatchObject({ code: 1, stdout: expect.stringMatching(/not pinned/) })
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect((await cli(['pin', file])).code).toBe(0)
  expect(await cli(['pin', file, '--check'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/: kept\n/) })
  const newer = await push('two')
  const moved = await cli(['pin', file, '--check', '--json'])
  expect(moved.code).toBe(1)
  expect(JSON.parse(moved.stdout).images).toMatchObject([{ outcome: 'moved', digest: newer }])
  expect((await cli(['pin', file])).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toContain(digest)
  expect(await cli(['pin', file, '--update'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/updated as/) })
  expect(readFileSync(file, 'utf8')).toBe(before.replace(base, `${base}@${newer}`))
})

test('pin reads stdin, and refuses a file that is missing, not UTF-8, or names an image that no registry has', async () => {
  const piped = await cli(['pin', '-'], { stdin: Readable.from([Buffer.from(`FROM ${base}\n`)]) })
  expect(piped).toMatchObject({ code: 0, stdout: `FROM ${base}@${digest}\n` })
  expect(await cli(['pin', join(directory.path, 'none')])).toMatchObject({ code: 1 })
  writeFileSync(file, Buffer.from([0x23, 0xff, 0x0a]))
  expect(await cli(['pin', file])).toMatchObject({ code: 2, stderr: expect.stringMatching(/UTF-8/) })
  const unknown = `FROM ${ref('team/none:1')}\n`
  writeFileSync(file, unknown)
  expect((await cli(['pin', file])).code).toBe(1)
  expect(readFileSync(file, 'utf8')).toBe(unknown)
})
