import { contentOf } from '../corpora/content.mjs'

export const bench = {
  name: 'micro-compression',
  question: 'What do levels and threads of gzip and zstd cost, and how fast is decompression?',
  async cases({ library, smoke }) {
    const { compress, decompress } = await import(`${library}/compression/index.js`)
    const bytes = smoke ? 2 ** 20 : 2 ** 23
    const text = piecesOf(contentOf('text', 'compression', bytes))
    const packed = piecesOf(contentOf('packed', 'compression', bytes))
    const task = (label, chunks, options) => ({ label, run: () => count(compress(chunks, options)) })
    const zstd = await canWrite(compress, 'zstd')
    const skipped = zstd ? undefined : `${process.version} cannot write zstd`
    const cases = [
      {
        name: 'gzip, text',
        bytes,
        tasks: [1, 6, 9].flatMap(level =>
          [1, 2, 4].map(concurrency =>
            task(`level ${level}, ${concurrency} at once`, text, { type: 'gzip', level, concurrency }),
          ),
        ),
      },
      { name: 'gzip, incompressible', bytes, tasks: [task('level 6', packed, { type: 'gzip', level: 6 })] },
      {
        name: 'zstd, text',
        bytes,
        tasks: [1, 3, 9].flatMap(level =>
          [1, 2].map(concurrency => ({
            ...task(`level ${level}, ${concurrency} at once`, text, { type: 'zstd', level, concurrency }),
            skipped,
          })),
        ),
      },
    ]
    for (const type of zstd ? ['gzip', 'zstd'] : ['gzip']) {
      const compressed = await collect(compress(text, { type }))
      cases.push({
        name: `${type}, back`,
        bytes,
        tasks: [{ label: 'decompress', run: () => count(decompress(compressed)) }],
      })
    }
    return cases
  },
}

function piecesOf(bytes) {
  return Array.from({ length: bytes.length / 2 ** 18 }, (_, i) => bytes.subarray(i * 2 ** 18, (i + 1) * 2 ** 18))
}

async function canWrite(compress, type) {
  try {
    await count(compress([Buffer.from('x')], { type }))
    return true
  } catch (error) {
    if (error.code === 'ERR_UNSUPPORTED_COMPRESSION') return false
    throw error
  }
}

async function collect(chunks) {
  const all = []
  for await (const chunk of chunks) all.push(Buffer.from(chunk))
  return all
}

async function count(chunks) {
  let bytes = 0
  for await (const chunk of chunks) bytes += chunk.byteLength
  return bytes
}
