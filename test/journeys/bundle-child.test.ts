import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { bundleChild } from '../helpers/bundle-child.ts'

test('a build of a child program that fails leaves no directory behind', async () => {
  const place = process.env.LAYERSTORE_MEMORY ?? tmpdir()
  const children = () => readdirSync(place).filter(name => name.startsWith('layerstore-child-'))
  const before = children()
  await expect(bundleChild('no-such-program.mjs')).rejects.toThrow('no-such-program.mjs')
  expect(children().filter(name => !before.includes(name))).toEqual([])
})
