import { describe, expect, test } from 'vitest'
import { readTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { scanTar } from '../helpers/scan-tar.ts'
import { tarCases } from '../helpers/tar-cases/all-tar-cases.ts'

describe.each(Object.entries(tarCases))('%s', (_, cases) => {
  test.each(cases)('$name', async ({ bytes, refused, entries }) => {
    const archive = bytes()
    const whole = scanTar(archive, archive.byteLength)
    if (refused) expect(whole).toMatchObject({ code: refused })
    else expect(whole).toMatchObject({ entries })
    if (refused === 'ERR_INVALID_TAR') expect(whole).toMatchObject({ at: expect.stringMatching(/^byte \d+$/) })

    for (const size of archive.byteLength < 10_000 ? [1, 511, 512, 700] : [511, 65536]) {
      expect(scanTar(archive, size), `in chunks of ${size}`).toEqual(whole)
    }
    const pulled = await readEntries(readTar(cut(archive, 700))).then(
      found => ({ entries: found }),
      ({ code, at }) => ({ code, at }),
    )
    expect(pulled).toEqual(whole)
  })
})
