import { expect, test } from 'vitest'
import { threadArguments, threadFile } from '../../lib/internal/thread-code.ts'

test('a thread is the file beside the module that names it, with the same ending', () => {
  expect(threadFile('file:///a/scan-thread-code.ts')).toEqual({ file: new URL('file:///a/scan-thread.ts') })
  expect(threadFile('file:///a/scan-thread-code.js')).toEqual({ file: new URL('file:///a/scan-thread.js') })
})

test('in a bundle of these sources there is no such file', () => {
  expect(threadFile('file:///a/bundle.js')).toBeUndefined()
  expect(threadFile(undefined)).toBeUndefined()
})

test('a thread takes the options of this process only to read TypeScript', () => {
  const [file, options] = threadArguments({ file: new URL('file:///a/x-thread.ts') }, { workerData: 1 })
  expect([String(file), options]).toEqual(['file:///a/x-thread.ts', { workerData: 1, execArgv: process.execArgv }])
  expect(threadArguments({ file: new URL('file:///a/x-thread.js') })[1]).toEqual({ execArgv: [] })
  expect(threadArguments({ text: 'code' })).toEqual(['code', { eval: true, execArgv: [] }])
})
