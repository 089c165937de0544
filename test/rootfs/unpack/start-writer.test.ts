import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { startThread } from '../../../lib/rootfs/unpack/writer/start-writer.ts'
import { transpileLibrary } from '../../helpers/transpile-library.ts'

test('if no thread can be started, the calling thread writes, and one warning of the process says so', async () => {
  const warnings: (Error & { code?: string })[] = []
  const warned = (warning: Error) => void warnings.push(warning)
  process.on('warning', warned)
  const broken = { file: new URL('https://example.com/thread.js') }
  expect(await startThread(broken)).toBeUndefined()
  expect(await startThread(broken)).toBeUndefined()
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', warned)
  expect(warnings.map(({ code }) => code)).toEqual(['LAYERSTORE_NO_THREADS'])
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
