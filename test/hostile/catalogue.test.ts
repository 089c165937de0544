import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hardLinkAttacks } from '../helpers/attacks/hard-link-attacks.ts'
import { deviceAttacks, duplicateAttacks, modeAttacks, xattrAttacks } from '../helpers/attacks/metadata-attacks.ts'
import { pathAttacks } from '../helpers/attacks/path-attacks.ts'
import { symlinkAttacks } from '../helpers/attacks/symlink-attacks.ts'
import { whiteoutCases } from '../helpers/attacks/whiteout-cases.ts'
import { compressionCases } from '../helpers/compression-cases.ts'
import { hostileCatalogue } from '../helpers/hostile-catalogue.ts'
import { layerTypeCases } from '../helpers/layer-type-cases.ts'
import { tarCases } from '../helpers/tar-cases/all-tar-cases.ts'

/** The tables that a test file runs, by the names under which it imports them. */
const tables: Readonly<Record<string, Readonly<Record<string, readonly { readonly name: string }[]>>>> = {
  'path-names.test.ts': { pathAttacks },
  'sym-links.test.ts': { symlinkAttacks },
  'hl-links.test.ts': { hardLinkAttacks },
  'dev-devices.test.ts': { deviceAttacks },
  'mode-and-owner.test.ts': { modeAttacks },
  'xattr-names.test.ts': { xattrAttacks },
  'dup-paths.test.ts': { duplicateAttacks },
  'tar-archives.test.ts': { tarCases: Object.values(tarCases).flat() },
  'wh-whiteouts.test.ts': { whiteoutCases },
  'compression-streams.test.ts': { compressionCases, layerTypeCases },
}

describe.each(Object.entries(hostileCatalogue))('%s', (file, rows) => {
  const names = Object.values(tables[file] ?? {}).flatMap(table => table.map(({ name }) => name))

  test('runs its tables', () => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    for (const table of Object.keys(tables[file]!)) expect(text).toMatch(new RegExp(`\\.each\\(.*${table}`))
  })

  test('has every case of the catalogue, and none twice', () => {
    const has = (row: string) => {
      const [prefix = '', rest] = row.split('*')
      return names.some(name => (rest === undefined ? name === row : name.startsWith(prefix)))
    }
    expect(rows.filter(row => !has(row))).toEqual([])
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })
})

test('links are attacked in all 26 ways', () => {
  expect(symlinkAttacks.length).toBeGreaterThanOrEqual(26)
})
