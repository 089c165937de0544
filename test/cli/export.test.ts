import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { readTar } from '../../lib/tar/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(async () => {
  place = temporaryDirectory('export')
  await using store = await openStore(join(place.path, 'store'))
  await sampleImage(
    store,
    [
      { a: '1', b: '1' },
      { '.wh.a': '', b: '2' },
    ],
    { name: 'app:1' },
  )
})
afterEach(() => place[Symbol.dispose]())

const at = (name: string) => join(place.path, name)

async function filesIn(bytes: Uint8Array): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for await (const { path, content } of readTar([bytes])) {
    let text = ''
    for await (const chunk of content) text += Buffer.from(chunk)
    files[path] = text
  }
  return files
}

test('export writes the root filesystem as one tar, whiteouts applied', async () => {
  const { code, stdout } = await cli(['export', 'app:1', '-o', at('root.tar')], { store: at('store') })
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${at('root.tar')}\n` })
  expect(await filesIn(readFileSync(at('root.tar')))).toEqual({ b: '2' })
})

test('export to stdout is the same tar, and may be compressed', async () => {
  await cli(['export', 'app:1', '-o', at('root.tar')], { store: at('store') })
  const chunks: Uint8Array[] = []
  const onBytes = (chunk: Uint8Array) => void chunks.push(chunk)
  await cli(['export', 'app:1', '--compression', 'gzip'], { store: at('store'), onBytes })
  expect(gunzipSync(Buffer.concat(chunks))).toEqual(readFileSync(at('root.tar')))
})

test('export that fails leaves the file before, and a terminal gets no archive', async () => {
  writeFileSync(at('root.tar'), 'before')
  expect((await cli(['export', 'none:1', '-o', at('root.tar')], { store: at('store') })).code).toBe(1)
  expect(readFileSync(at('root.tar'), 'utf8')).toBe('before')
  expect((await cli(['export', 'app:1', '-o', at('no/root.tar')], { store: at('store') })).code).toBe(1)
  expect(existsSync(at('no'))).toBe(false)
  expect(await cli(['export', 'app:1'], { store: at('store'), tty: true })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not written to a terminal'),
  })
})
