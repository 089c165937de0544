import { once } from 'node:events'
import tarStream from 'tar-stream'
import { contentOf } from '../corpora/content.mjs'

const SINK = new Uint8Array(2 ** 20)

export const bench = {
  name: 'micro-tar',
  question: 'How fast are tar archives of small and of large entries written and read?',
  async cases({ library, smoke }) {
    const { readTar, writeTar } = await import(`${library}/tar/index.js`)
    const shapes = [
      ['small entries (4 KiB)', smoke ? 64 : 4096, 4096],
      ['large entries (4 MiB)', smoke ? 1 : 8, 2 ** 22],
    ]
    const cases = []
    for (const [name, count, size] of shapes) {
      const content = contentOf('text', name, size)
      const entries = Array.from({ length: count }, (_, i) => ({
        path: `folder-${i % 50}/file-${i}`,
        type: 'file',
        content,
      }))
      const archive = Buffer.concat(await collect(writeTar(entries)))
      const chunks = Array.from({ length: Math.ceil(archive.length / 2 ** 18) }, (_, i) =>
        archive.subarray(i * 2 ** 18, (i + 1) * 2 ** 18),
      )
      cases.push({
        name: `write ${name}`,
        bytes: archive.length,
        tasks: [
          { label: 'writeTar', run: () => take(writeTar(entries)) },
          { label: 'tar-stream', own: false, run: () => packWithTarStream(entries, content) },
        ],
      })
      cases.push({
        name: `read ${name}`,
        bytes: archive.length,
        tasks: [
          { label: 'readTar, headers', run: () => drain(readTar(chunks)) },
          { label: 'readTar, content', run: () => readAll(readTar(chunks)) },
          { label: 'tar-stream, content', own: false, run: () => extractWithTarStream(chunks) },
        ],
      })
    }
    return cases
  },
}

async function collect(chunks) {
  const all = []
  for await (const chunk of chunks) all.push(Buffer.from(chunk))
  return all
}

async function drain(items) {
  for await (const _ of items);
}

/** Copies every byte once, because a writer that skips bytes would not be measured. */
async function take(chunks) {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += SINK.length) SINK.set(chunk.subarray(at, at + SINK.length))
  }
}

async function readAll(entries) {
  for await (const entry of entries) await take(entry.content)
}

async function packWithTarStream(entries, content) {
  const pack = tarStream.pack()
  const read = take(pack)
  for (const { path } of entries) {
    await new Promise((done, fail) => void pack.entry({ name: path }, content, error => (error ? fail(error) : done())))
  }
  pack.finalize()
  await read
}

async function extractWithTarStream(chunks) {
  const extract = tarStream.extract()
  const read = readAllEntries(extract)
  for (const chunk of chunks) if (!extract.write(chunk)) await once(extract, 'drain')
  extract.end()
  await read
}

async function readAllEntries(extract) {
  for await (const entry of extract) await take(entry)
}
