// Unpacks archives in its own process, as the user that started it: LIBRARY, then one JSON job per line on stdin, one
// JSON answer per line on stdout. A job: { archives: [path], target, options, decompress }.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const library = pathToFileURL(`${process.argv[2]}/`)
const { decompress: open } = await import(new URL('compression/index.js', library))
const { unpackArchives } = await import(new URL('rootfs/unpack/unpack-archives.js', library))

for await (const line of createInterface({ input: process.stdin })) {
  const { archives, target, options, decompress } = JSON.parse(line)
  const sources = archives.map(path => ({
    name: path,
    open: async function* () {
      const bytes = await readFile(path)
      yield* decompress ? open(bytes, decompress) : [bytes]
    },
  }))
  let answer
  try {
    const { skipped, ...counts } = await unpackArchives(sources, target, options)
    answer = { counts, skipped: skipped.map(({ what, path }) => `${what} ${path}`) }
  } catch (error) {
    answer = { code: error.code ?? String(error), message: error.message }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
