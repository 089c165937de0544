import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { findProgram } from '../../lib/registry/credentials/find-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test('a helper in a directory that the search path names relatively is not found', async () => {
  using directory = temporaryDirectory('path')
  const path = join(directory.path, 'docker-credential-x')
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, 0o755)
  const near = relative(process.cwd(), directory.path)
  const search = (...folders: string[]) => findProgram('docker-credential-x', { PATH: folders.join(delimiter) })
  expect(await search(near)).toBeUndefined()
  expect(await search('', '.', near)).toBeUndefined()
  expect(await search('', '.', near, directory.path)).toBe(path)
  expect(await findProgram('docker-credential-x', {})).toBeUndefined()
})
