import { once } from 'node:events'
import tarStream from 'tar-stream'
import { contentOf } from '../corpora/content.mjs'

/** Size of the chunks that a reader gets, in bytes. */
const CHUNK = 2 ** 18
const SINK = new Uint8Array(CHUNK)

export const bench = {
  name: 'micro-tar-read',
  question: 'What does reading a tar cost with very many and with very large entries?',
  async cases({ library, smoke }) {
    const { readTar, TarScanner, writeTar } = await import(`${library}/tar/index.js`)
    const many = smoke ? 200 : 200_000
    const shapes = [
      [`headers of ${many} entries`, many, 0],
      [`${many / 5} files of 1,200 bytes`, many / 5, 1200],
      ['one large file', 1, smoke ? 2 ** 20 : 2 ** 28],
    ]
    const cases = []
    for (const [name, count, size] of shapes) {
      const chunks = await archiveOf(writeTar, name, count, size)
      const tasks = [
        { label: 'TarScanner', run: () => scan(new TarScanner(), chunks, count) },
        { label: 'readTar', run: () => read(readTar(chunks), count * size) },
        { label: 'readTar, content skipped', run: () => drain(readTar(chunks), count) },
        { label: 'tar-stream', own: false, run: () => extract(chunks, count * size) },
      ]
      cases.push({ name, bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0), tasks })
    }
    return cases
  },
}

async function archiveOf(writeTar, name, count, size) {
  const content = contentOf('text', name, size)
  const entry = i => ({ path: `usr/lib/node_modules/folder-${i % 50}/file-${i}`, type: 'file', mtime: 1e9, content })
  const pieces = []
  for await (const piece of writeTar(Array.from({ length: count }, (_, i) => entry(i)))) pieces.push(Buffer.from(piece))
  const archive = Buffer.concat(pieces)
  return Array.from({ length: Math.ceil(archive.length / CHUNK) }, (_, i) =>
    archive.subarray(i * CHUNK, (i + 1) * CHUNK),
  )
}

function scan(scanner, chunks, count) {
  let entries = 0
  for (const chunk of chunks) {
    scanner.push(chunk)
    for (let found = scanner.next(); found; found = scanner.next()) {
      if (found instanceof Uint8Array) take(found)
      else entries++
    }
  }
  scanner.end()
  expect(entries, count)
}

async function read(entries, bytes) {
  let seen = 0
  for await (const { content } of entries) for await (const piece of content) seen += take(piece)
  expect(seen, bytes)
}

async function drain(entries, count) {
  let seen = 0
  for await (const _ of entries) seen++
  expect(seen, count)
}

async function extract(chunks, bytes) {
  const extract = tarStream.extract()
  const reading = read(withContent(extract), bytes)
  for (const chunk of chunks) if (!extract.write(chunk)) await once(extract, 'drain')
  extract.end()
  await reading
}

async function* withContent(bodies) {
  for await (const content of bodies) yield { content }
}

/** Copies every byte once, because a reader that skips bytes would not be measured. */
function take(piece) {
  SINK.set(piece)
  return piece.length
}

/** Fails if the contender did other work than the case asks for. */
function expect(actual, expected) {
  if (actual !== expected) throw new Error(`read ${actual} instead of ${expected}`)
}
