import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { loadArchive, openArchive } from '../../lib/archive/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { readAll } from './read-all.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { thrownBy } from './thrown-by.ts'

/**
 * Resolves to the error codes of an archive that is opened and read, loaded from a file, and loaded from a stream.
 * Checks that no name exists afterwards.
 */
export async function refusedArchive(tar: Uint8Array): Promise<(string | undefined)[]> {
  using place = temporaryDirectory('archive')
  const path = join(place.path, 'archive.tar')
  writeFileSync(path, tar)
  const codes = [(await thrownBy(() => readThrough(path))).code]
  for (const source of [path, [tar]]) {
    await using store = createMemoryStore()
    codes.push((await thrownBy(() => loadArchive(store, source))).code)
    for await (const { name } of store.references.list()) expect.unreachable(`${name} was set`)
  }
  return codes
}

async function readThrough(path: string): Promise<void> {
  await using archive = await openArchive(path)
  for await (const { digest } of archive.list()) await readAll(archive.read(digest))
}
