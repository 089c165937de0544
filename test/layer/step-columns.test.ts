import { expect, test } from 'vitest'
import type { SourceStep } from '../../lib/layer/source/source-entry.ts'
import { decodeSteps, encodeSteps } from '../../lib/layer/source/step-columns.ts'

const header = { mode: 0o644, uid: 0, gid: 2 ** 32 - 2, size: 0, mtime: 1.25 }
const nothing = { offset: 0, length: 0, last: true }

test('steps come out of their columns as they went in', () => {
  const steps: SourceStep[] = [
    { entry: { path: 'd', type: 'directory', ...header }, ...nothing },
    {
      entry: { path: 'd/\udc80\ud83d\ude00 ü', type: 'file', ...header, size: 2 ** 40, dev: 65025, ino: 2 ** 52 },
      offset: 0,
      length: 512,
      last: false,
    },
    { offset: 512, length: 7, last: true },
    { entry: { path: 'h', type: 'hardlink', ...header, linkname: 'd/\udcff' }, ...nothing },
    { entry: { path: 'c', type: 'character-device', ...header, devMajor: 0, devMinor: 3 }, ...nothing },
    { entry: { path: 'x', type: 'file', ...header, dev: 0, ino: 0, xattrs: [['user.a', 'AA==']] }, ...nothing },
    { entry: { path: 's', type: 'symlink', ...header, mtime: -0.5, linkname: '' }, ...nothing },
  ]
  expect(decodeSteps(structuredClone(encodeSteps(steps)))).toEqual(steps)
})

test('no steps are no steps, and pieces without an entry have no path', () => {
  expect(decodeSteps(encodeSteps([]))).toEqual([])
  const pieces = [{ offset: 1, length: 2, last: false }]
  expect(decodeSteps(encodeSteps(pieces))).toEqual(pieces)
})
