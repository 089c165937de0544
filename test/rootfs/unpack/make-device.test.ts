import { chmodSync, lstatSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { badDevice, makeDevice } from '../../../lib/rootfs/unpack/entries/make-device.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const fifo = { type: 'fifo', major: 0, minor: 0 } as const

test('a FIFO is made under a name of any bytes, for its owner only', () => {
  using place = temporaryDirectory('device')
  const target = Buffer.concat([Buffer.from(`${place.path}/-`), Buffer.from([0xff])])
  expect(makeDevice(place.path, target, fifo)).toBeUndefined()
  expect([lstatSync(target).isFIFO(), lstatSync(target).mode & 0o777]).toEqual([true, 0o600])
})

test('if the program is missing or fails, the reason is returned and nothing is left', () => {
  using place = temporaryDirectory('device')
  using programs = temporaryDirectory('programs')
  const failing = join(programs.path, 'mknod')
  expect(makeDevice(place.path, join(place.path, 'x'), fifo, [failing])).toBe('there is no mknod program')
  writeFileSync(failing, '#!/bin/sh\necho "mknod: $3: Operation not permitted" >&2\n: > "$3"\nexit 1\n')
  chmodSync(failing, 0o755)
  expect(makeDevice(place.path, join(place.path, 'x'), fifo, [failing])).toBe('Operation not permitted')
  writeFileSync(failing, '#!/bin/sh\nexit 1\n')
  expect(makeDevice(place.path, join(place.path, 'x'), fifo, [failing])).toBe('mknod failed')
  expect(readdirSync(place.path)).toEqual([])
})

test('invalid device numbers and the whiteout device of overlayfs are rejected', () => {
  expect(badDevice('fifo', 0, 0)).toBeUndefined()
  expect(badDevice('block-device', 0xfff, 0xfffff)).toBeUndefined()
  expect(badDevice('block-device', 0, 0)).toBeUndefined()
  for (const [major, minor] of [
    [0x1000, 0],
    [0, 0x100000],
    [-1, 0],
    [1.5, 0],
    [2 ** 32, 0],
  ] as const) {
    expect(badDevice('character-device', major, minor)).toContain('no device has the numbers')
  }
  expect(badDevice('character-device', 0, 0)).toContain('overlayfs')
})
