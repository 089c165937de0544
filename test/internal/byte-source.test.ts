import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { importTar, loadArchive } from '../../lib/archive/index.ts'
import { buildImage, from, openBuildSources, openContext } from '../../lib/build/index.ts'
import { compress } from '../../lib/compression/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeArtifact } from '../../lib/image/index.ts'
import { chunksOf, keepFault } from '../../lib/internal/byte-source.ts'
import { collectBytes } from '../../lib/internal/collect-bytes.ts'
import { fromFiles, rewriteEntries, writeLayer } from '../../lib/layer/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { omitUnchanged } from '../../lib/rootfs/index.ts'
import { runImage } from '../../lib/sandbox/index.ts'
import { createMemoryStore, readOnlyStore, verifyingStore } from '../../lib/store/index.ts'
import { type TarInput, writeTar } from '../../lib/tar/index.ts'
import { attachArtifact } from '../../lib/transfer/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/** Waits until the streams that were opened before have failed; without a listener that fails the whole test file. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await setImmediate()
  await stat('/').then(() => setImmediate())
}

const goneFile = (path: string): TarInput => ({ path, type: 'file', size: 1, content: createReadStream('/gone') })

/** A file whose content comes only after streams that were opened at the same time have failed. */
const slowFile = (path: string): TarInput => ({ path, type: 'file', size: 1, content: slowBytes() })

async function* slowBytes(): AsyncGenerator<Uint8Array> {
  await settled()
  yield Buffer.from('x')
}

async function* slowTar(): AsyncGenerator<Uint8Array> {
  await settled()
  yield* writeTar([{ path: 'a', type: 'file', content: 'x' }])
}

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

  test('fails a layer when its entry has its turn, however late that is', async () => {
    const entries = () => [slowFile('a'), goneFile('b')]
    const view = { stat: () => undefined }
    const memory = createMemoryStore()
    await expect(readAll(writeTar(entries()))).rejects.toThrow('ENOENT')
    await expect(writeLayer(memory, entries())).rejects.toThrow('ENOENT')
    await expect(writeLayer(memory, new Set(entries()))).rejects.toThrow('ENOENT')
    await expect(writeLayer(memory, fromFiles(entries()))).rejects.toThrow('ENOENT')
    await expect(writeLayer(memory, omitUnchanged(entries(), view))).rejects.toThrow('ENOENT')
    const made = [
      writeTar(entries()),
      writeTar(fromFiles(entries())),
      writeTar(rewriteEntries(entries())),
      writeTar(omitUnchanged(entries(), view)),
    ]
    await settled()
    for (const tar of made) await expect(readAll(tar)).rejects.toThrow('ENOENT')
  })

  test('does not end the process after an act that does not read it', async () => {
    const memory = createMemoryStore()
    const tooLong = { ...goneFile('a'), path: 'a/'.repeat(4096) }
    await expect(readAll(writeTar([{ path: 'd', type: 'directory', size: 1 }, goneFile('a')]))).rejects.toThrow()
    await expect(readAll(writeTar([tooLong]))).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    const opened = [{ ...tooLong, content: () => createReadStream('/gone') }]
    await expect(readAll(writeTar(opened))).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    expect(() => fromFiles([slowFile('a'), slowFile('a'), goneFile('b')])).toThrow('twice')
    await expect(readOnlyStore(memory).put(createReadStream('/gone'))).rejects.toThrow('read-only')
    await settled()
  })

  test('fails a build that opens another context first', async () => {
    const memory = createMemoryStore()
    const contexts = { first: { tar: slowTar() }, second: { tar: createReadStream('/gone') } }
    await expect(openBuildSources(memory, { contexts })).rejects.toThrow('ENOENT')
    const context = { tar: createReadStream('/gone') }
    await expect(buildImage(memory, from('scratch'), { context })).rejects.toThrow('ENOENT')
    const stage = from('scratch').files({ a: createReadStream('/gone') })
    await settled()
    await expect(buildImage(memory, stage)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('fails an artifact that is attached when the registry has answered', async () => {
    const subject = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: `sha256:${'0'.repeat(64)}`,
      size: 1,
    }
    const registry = { resolve: () => settled().then(() => subject) } as unknown as RegistryClient
    const layers = [{ content: createReadStream('/gone') }]
    const attaching = attachArtifact(registry, 'host/app:1', { artifactType: 'a/b', layers })
    await expect(attaching).rejects.toThrow('ENOENT')
  })

  test('is kept by one listener, however many acts are given the stream', async () => {
    const stream = createReadStream('/gone')
    for (let i = 0; i < 20; i++) keepFault(stream)
    expect(stream.listenerCount('error')).toBe(1)
    await settled()
  })

  test('does not end the process before a sandbox reads its input', async () => {
    const stdin = createReadStream('/gone')
    await expect(runImage(createMemoryStore(), 'app', { stdin })).rejects.toBeInstanceOf(Error)
    await settled()
  })
})
