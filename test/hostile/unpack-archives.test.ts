import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { childPath } from '../../lib/rootfs/unpack/tree/child-path.ts'
import { compressionCases } from '../helpers/compression-cases.ts'
import { scanTar } from '../helpers/scan-tar.ts'
import { startNobody } from '../helpers/start-nobody.ts'
import { tarCases } from '../helpers/tar-cases/all-tar-cases.ts'
import { unpackCase } from '../helpers/unpack-case.ts'

let nobody: ReturnType<typeof startNobody>
beforeAll(() => {
  nobody = startNobody()
})
afterAll(() => nobody[Symbol.asyncDispose]())

/** Archives that can be read but not unpacked, because a path is too deep. */
const refusedToWrite: Readonly<Record<string, string>> = { 'path-4096': 'ERR_LIMIT_EXCEEDED' }

/** Contents of the files of an archive; of duplicate paths, the last content. */
function contentsOf(archive: Buffer): Map<string, string> {
  const verdict = scanTar(archive, archive.byteLength)
  const files = 'entries' in verdict ? verdict.entries.filter(({ type }) => type === 'file') : []
  return new Map(files.map(({ path, text }) => [path, text]))
}

describe.each(Object.entries(tarCases))('%s', (_, cases) => {
  test.each(cases)('$name changes nothing outside the root, for any user', async ({ name, bytes, refused }) => {
    const archive = Buffer.from(bytes())
    using own = await unpackCase(() => [archive])
    using other = await nobody.unpack(() => [archive])
    expect([own.canary, other.changed, other.left]).toEqual(['untouched', 'nothing', []])
    const code = refused ?? refusedToWrite[name]
    expect([own.error?.code, other.answer.code]).toEqual([code, code])
    expect(existsSync(own.root)).toBe(code === undefined)
    if (code !== undefined) return
    for (const [path, text] of contentsOf(archive)) {
      for (const { root } of [own, other]) expect(readFileSync(childPath(root, path)).toString('latin1')).toBe(text)
    }
  })
})

// None of these streams contains a tar, and each must fail before the unpack writes anything.
test.each(compressionCases)('$name changes nothing outside', async ({ bytes, options = {}, refused }) => {
  const { signal: _, ...decompress } = options
  using outcome = await nobody.unpack(() => [Buffer.from(bytes())], {}, decompress)
  expect([outcome.changed, outcome.left]).toEqual(['nothing', []])
  expect(outcome.answer.code).toBe(refused ?? 'ERR_INVALID_TAR')
})
