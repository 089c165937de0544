import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { makeStackDirectory, ownStack, stackLife, sweepStacks } from '../../lib/sandbox/snapshots/stack-owner.ts'
import { needs } from '../helpers/needs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const isLinux = needs(process.platform === 'linux', 'needs the processes of Linux')

test.runIf(isLinux)('a stack of a living process stays, also before and after it has its record', async () => {
  using place = temporaryDirectory('stack-owner')
  const stack = await makeStackDirectory(place.path, 'stack-')
  expect(await stackLife(stack)).toBe('alive')
  await ownStack(stack)
  expect(await stackLife(stack)).toBe('alive')
  rmSync(join(stack, 'owner'))
  await sweepStacks({
    directory: place.path,
    prefix: 'stack-',
    remove: async path => rmSync(path, { recursive: true }),
  })
  expect(readdirSync(place.path)).toEqual([basename(stack)])
})

test.runIf(isLinux)(
  'a stack that a killed process left without its record is removed, another name stays',
  async () => {
    using place = temporaryDirectory('stack-owner')
    const own = basename(await makeStackDirectory(place.path, 'stack-'))
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const dead = own.replace(`-${process.pid}-`, `-${pid}-`)
    const elsewhere = own.replace(/^stack-\w+-/, 'stack-other_machine-').replace(`-${process.pid}-`, `-${pid}-`)
    const names = [dead, elsewhere, 'stack-abcdef', 'other']
    for (const name of names) mkdirSync(join(place.path, name))
    await sweepStacks({
      directory: place.path,
      prefix: 'stack-',
      remove: async path => rmSync(path, { recursive: true }),
    })
    expect(readdirSync(place.path).sort()).toEqual([own, elsewhere, 'stack-abcdef', 'other'].sort())
  },
)
