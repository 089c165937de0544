import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { importTar, loadArchive } from '../../lib/archive/index.ts'
import { openContext } from '../../lib/build/index.ts'
import { compress } from '../../lib/compression/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeArtifact } from '../../lib/image/index.ts'
import { chunksOf } from '../../lib/internal/byte-source.ts'
import { collectBytes } from '../../lib/internal/collect-bytes.ts'
import { createMemoryStore, verifyingStore } from '../../lib/store/index.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

describe('a stream of a file that is missing', () => {
  test('keeps its failure until it is read, and the failure is not lost then', async () => {
    const chunks = chunksOf(createReadStream('/gone'))
    // The stream fails in this time; a failure without a listener would fail the whole test file.
    for (let i = 0; i < 20; i++) await setImmediate()
    await expect(collectBytes(chunks, 1, 'bytes')).rejects.toThrow('ENOENT')
  })

  test('fails the act that gets it, and does not end the process', async () => {
    using directory = temporaryDirectory('byte-source')
    await using disk = await openStore(join(directory.path, 'store'), { durability: 'none' })
    const memory = createMemoryStore()
    const gone = () => createReadStream('/gone')
    for (const store of [disk, memory, verifyingStore(disk)]) {
      await expect(store.put(gone())).rejects.toThrow('ENOENT')
      await expect(store.put(compress(gone(), { type: 'gzip' }))).rejects.toThrow('ENOENT')
      await expect(loadArchive(store, gone())).rejects.toThrow('ENOENT')
      await expect(importTar(store, gone())).rejects.toThrow('ENOENT')
    }
    await expect(
      composeArtifact(disk, { artifactType: 'a/b', layers: [{ content: gone, title: 'gone' }] }),
    ).rejects.toThrow('ENOENT')
    const layers = [{ content: 'first' }, { content: gone() }]
    await expect(composeArtifact(disk, { artifactType: 'a/b', layers })).rejects.toThrow('ENOENT')
    const config = { content: gone(), mediaType: 'a/b' }
    await expect(composeArtifact(disk, { artifactType: 'a/b', config })).rejects.toThrow('ENOENT')
    await expect(openContext({ tar: gone() }, { store: disk })).rejects.toThrow('ENOENT')
  })
})
