import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockedOptions } from '../../../lib/sandbox/executors/view/locked-options.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

test('the options that a user namespace cannot take away are those of the mount that a path is in', () => {
  using place = temporaryDirectory('locked options')
  const at = (path: string) => join(place.path, path)
  for (const path of ['data/in', 'database']) mkdirSync(at(path), { recursive: true })
  symlinkSync('data/in', at('link'))
  const line = (point: string, options: string) =>
    `30 20 0:3 / ${point.replaceAll(' ', '\\040')} ${options} shared:1 - ext4 /dev/sda1 rw`
  const table = [
    line('/', 'rw,relatime'),
    line(at('data'), 'rw,noexec'),
    line(at('data'), 'ro,nosuid,nodev,noatime'),
    line('/elsewhere', 'ro'),
    '',
  ].join('\n')
  for (const path of ['data', 'data/in', 'link']) {
    expect(lockedOptions(at(path), 'range', table)).toEqual(['ro', 'nosuid', 'nodev'])
  }
  expect(lockedOptions(at('database'), 'range', table)).toEqual([])
  expect(lockedOptions(at('data'), 'range', '')).toEqual([])
  expect(lockedOptions(at('data'), 'all', table)).toEqual([])
})
