import { expect, test } from 'vitest'
import { formatBytes } from '../../lib/cli/printing/format-bytes.ts'
import { formatTable } from '../../lib/cli/printing/format-table.ts'
import { storeDirectory } from '../../lib/cli/session/store-directory.ts'

test('bytes are shown in decimal units with three digits', () => {
  const shown = [0, 999, 1000, 1234, 12_345, 123_456, 999_499, 999_999, 18_400_000, 5e9, 2e18].map(formatBytes)
  expect(shown).toEqual([
    '0B',
    '999B',
    '1.00kB',
    '1.23kB',
    '12.3kB',
    '123kB',
    '999kB',
    '1.00MB',
    '18.4MB',
    '5.00GB',
    '2000PB',
  ])
})

test('columns are as wide as their widest cell, and lines have no white space at their end', () => {
  expect(
    formatTable(
      ['A', 'B'],
      [
        ['long cell', ''],
        ['x', 'y'],
      ],
    ),
  ).toEqual(['A           B', 'long cell', 'x           y'])
})

test('the store is where the environment says, else in the data folder of the system', () => {
  const env = { HOME: '/home/u' }
  expect(storeDirectory({ LAYERSTORE_STORE: '/s' }, 'linux')).toBe('/s')
  expect(storeDirectory({ ...env, XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/layerstore')
  expect(storeDirectory(env, 'linux')).toBe('/home/u/.local/share/layerstore')
  expect(storeDirectory(env, 'darwin')).toBe('/home/u/Library/Application Support/layerstore')
  expect(storeDirectory({ ...env, LOCALAPPDATA: '/l' }, 'win32')).toBe('/l/layerstore')
  expect(storeDirectory({}, 'linux')).toMatch(/layerstore$/)
})
