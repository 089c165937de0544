import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { unpackArchives } from '../../../lib/rootfs/unpack/unpack-archives.ts'
import { startThread, startWriter } from '../../../lib/rootfs/unpack/writer/start-writer.ts'
import { packFault, unpackFault } from '../../../lib/rootfs/unpack/writer/writer-fault.ts'
import { WriterService } from '../../../lib/rootfs/unpack/writer/writer-service.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'
import { writerOptions } from '../../helpers/unpack-with.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory('service')
})
afterEach(() => place[Symbol.dispose]())

test('after a failure a writer only removes what it wrote', async () => {
  const service = new WriterService()
  mkdirSync(join(place.path, 'x'))
  writeFileSync(join(place.path, 'x/mine'), '')
  const { fault } = await service.answer({ act: 'open', directory: join(place.path, 'x'), options: writerOptions })
  expect(fault).toMatchObject({ code: 'ERR_TARGET_NOT_EMPTY' })
  expect(await service.answer({ act: 'layer', name: 'sha256:test' })).toMatchObject({ fault })
  expect(await service.answer({ act: 'finish' })).toMatchObject({ fault })
  expect(await service.answer({ act: 'discard' })).toMatchObject({ left: [] })
})

test('a thrown value that is no error arrives as an error', () => {
  expect(unpackFault(packFault('only text'))).toMatchObject({ name: 'Error', message: 'only text' })
  const cause = Object.assign(new Error('inner'), { code: 'EIO', handle: {} })
  expect(unpackFault(packFault(new Error('outer', { cause })))).toMatchObject({
    message: 'outer',
    cause: { message: 'inner', code: 'EIO' },
  })
})

test('a stopped worker rejects every request', async () => {
  const writer = await startWriter('thread')
  await writer.stop()
  expect(await thrownBy(() => writer.ask({ act: 'discard' }))).toMatchObject({
    message: expect.stringContaining('the writing thread has ended'),
  })
})

test('a compiled thread is started without the options of this process', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'layerstore-thread-'))
  try {
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(directory, 'writer-thread.js'),
      "import { parentPort } from 'node:worker_threads'\nparentPort.postMessage(process.execArgv)",
    )
    const thread = await startThread({ file: pathToFileURL(join(directory, 'writer-thread.js')) })
    expect(await new Promise(resolve => thread!.once('message', resolve))).toEqual([])
    await thread!.terminate()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('a layer of zero bytes is an empty layer', async () => {
  const target = join(place.path, 'root')
  const sources = [{ name: 'sha256:test', open: () => [] as Uint8Array[] }]
  expect(await unpackArchives(sources, target, { writer: 'inline' })).toMatchObject({ files: 0, directories: 0 })
})
