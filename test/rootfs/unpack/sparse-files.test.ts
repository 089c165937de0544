import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unpackArchives } from '../../../lib/rootfs/unpack/unpack-archives.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { tarEnd, tarMember, tarPax } from '../../helpers/tar-block.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const MIB = 1 << 20

/** An archive with one sparse file `s` of this size; each region is 512 bytes of a letter. */
function sparseTar(size: number, regions: readonly (readonly [offset: number, letter: string])[]): Buffer {
  const map = [regions.length, ...regions.flatMap(([offset]) => [offset, 512])].join('\n')
  const data = regions.map(([, letter]) => letter.repeat(512)).join('')
  const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's' }
  return Buffer.concat([
    tarPax({ ...records, 'GNU.sparse.realsize': String(size) }),
    tarMember({ name: 'GNUSparseFile.0/s' }, `${map}\n`.padEnd(512, '\0') + data),
    tarMember({ name: 'x' }, 'abc'),
    tarEnd,
  ])
}

test.each([
  [
    'at both ends and between',
    [
      [MIB, 'a'],
      [20 * MIB, 'b'],
    ] as const,
  ],
  [
    'only between',
    [
      [0, 'a'],
      [32 * MIB - 512, 'b'],
    ] as const,
  ],
  [
    'only at the end',
    [
      [0, 'a'],
      [512, 'b'],
    ] as const,
  ],
  ['and nothing else', [] as const],
])('holes %s are left as holes', async (_, regions) => {
  using place = temporaryDirectory('sparse')
  const archive = sparseTar(32 * MIB, regions)
  for (const writer of ['inline', 'thread'] as const) {
    const target = join(place.path, writer)
    const report = await unpackArchives([{ name: 'sha256:test', open: () => [archive] }], target, { writer })
    expect(report).toMatchObject({ files: 2, bytes: 32 * MIB + 3 })
    const { size, blocks } = statSync(join(target, 's'))
    expect(size).toBe(32 * MIB)
    expect(blocks * 512).toBeLessThan(MIB)
    const expected = Buffer.alloc(32 * MIB)
    for (const [offset, letter] of regions) expected.fill(letter, offset, offset + 512)
    expect(readFileSync(join(target, 's')).equals(expected)).toBe(true)
    expect(readFileSync(join(target, 'x'), 'utf8')).toBe('abc')
  }
})

test('holes count for the limits like bytes', async () => {
  using place = temporaryDirectory('sparse')
  const sources = [{ name: 'sha256:test', open: () => [sparseTar(32 * MIB, [[0, 'a']])] }]
  const target = join(place.path, 'root')
  const error = await thrownBy(() => unpackArchives(sources, target, { writer: 'inline', maxLayerBytes: MIB }))
  expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
})

test.runIf(needsProgram('tar'))('a sparse file packed by GNU tar keeps content and holes', async () => {
  using place = temporaryDirectory('sparse')
  mkdirSync(join(place.path, 'source'))
  const fd = openSync(join(place.path, 'source/disk'), 'w')
  for (const [at, text] of [
    [4 * MIB + 100, 'one'],
    [17 * MIB, 'two'],
  ] as const)
    writeSync(fd, text, at)
  ftruncateSync(fd, 40 * MIB + 7)
  closeSync(fd)
  for (const version of ['0.0', '0.1', '1.0']) {
    const args = ['--format=posix', '--sparse', `--sparse-version=${version}`, '-cf', '-', 'disk']
    const archive = execFileSync('tar', ['-C', join(place.path, 'source'), ...args], { maxBuffer: 64 * MIB })
    const target = join(place.path, version)
    await unpackArchives([{ name: 'sha256:test', open: () => [archive] }], target, { writer: 'inline' })
    expect(statSync(join(target, 'disk')).blocks * 512).toBeLessThan(MIB)
    expect(readFileSync(join(target, 'disk')).equals(readFileSync(join(place.path, 'source/disk')))).toBe(true)
  }
})
