import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { startThread } from '../../../lib/rootfs/unpack/writer/start-writer.ts'
import { transpileLibrary } from '../../helpers/transpile-library.ts'

test('if a bundler removed the file of the worker, the calling thread writes', async () => {
  expect(await startThread(undefined)).toBeUndefined()
  expect(await startThread(pathToFileURL(join(import.meta.dirname, 'bundle.js')).href)).toBeUndefined()
})

test('a program given on the command line of Node can start the worker', () => {
  const library = transpileLibrary()
  const program = `
    const { startWriter } = await import(${JSON.stringify(`${library}/rootfs/unpack/writer/start-writer.js`)})
    const writer = await startWriter('thread')
    console.log(JSON.stringify(await writer.ask({ act: 'discard' })))
    await writer.stop()`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(JSON.parse(output)).toMatchObject({ left: [] })
})
