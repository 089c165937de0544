import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readXattrsOf } from '../../../lib/rootfs/index.ts'
import { findXattrProgram, type XattrProgram } from '../../../lib/rootfs/xattrs/xattr-program.ts'
import { ProgramXattrs } from '../../../lib/rootfs/xattrs/xattr-setter.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'
import { unpackWith } from '../../helpers/unpack-with.ts'

const able = process.platform === 'linux' && needsRoot()
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
const odd = Buffer.from([0, 0xff, 0x0a, 0x20])

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('xattrs')
  at = path => join(place.path, path)
})
afterEach(() => place[Symbol.dispose]())

/** The program of that name alone; `undefined` if this machine lacks it. */
function only(name: string): XattrProgram | undefined {
  const directory = at('bin')
  mkdirSync(directory)
  const program = [`/usr/bin/${name}`, `/bin/${name}`].find(path => existsSync(path))
  if (program) symlinkSync(program, join(directory, name))
  return findXattrProgram([directory])
}

describe.each(['perl', 'python3'])('%s', name => {
  const canRun = able && needsProgram(name)

  test.runIf(canRun)('sets what an image has, and reads it again, byte for byte', async () => {
    const program = only(name)
    expect(program?.path).toBe(at(`bin/${name}`))
    const pax = (pairs: Record<string, Buffer | string>) => ({
      pax: Object.fromEntries(Object.entries(pairs).map(([key, value]) => [`SCHILY.xattr.${key}`, value])),
    })
    const layer = rawTar([
      { path: 'bin/', ...pax({ 'trusted.who': 'root' }) },
      { path: 'bin/ping', content: '#!', uid: 7, ...pax({ 'security.capability': capability, 'user.odd': odd }) },
      { path: 'bin/plain', content: '1' },
      { path: 'bin/hard', type: '1', link: 'bin/ping' },
      { path: 'link', link: 'bin' },
      { path: 'refused', content: '', ...pax({ 'user.overlay.opaque': 'y', 'security.selinux': 'x' }) },
    ])
    const skipped = await unpackWith([layer], at('root'), { xattrProgram: program })
    expect(skipped.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
      'refused user.overlay.opaque: overlayfs would obey it',
      'refused security.selinux: belongs to the policy of this machine',
    ])
    const paths = ['bin', 'bin/ping', 'bin/plain', 'bin/hard', 'link', 'missing', 'refused']
    const read = await readXattrsOf(at('root'), paths, { program })
    const ping = [
      ['security.capability', capability],
      ['user.odd', odd],
    ]
    expect([...read!].map(([path, xattrs]) => [path, [...xattrs]])).toEqual([
      ['bin', [['trusted.who', Buffer.from('root')]]],
      ['bin/ping', ping],
      ['bin/hard', ping],
    ])
  })

  test.runIf(canRun)('sets more at once than it has descriptors, and says what the system refuses', async () => {
    const program = only(name) as XattrProgram
    const setter = new ProgramXattrs(program)
    const refused: string[] = []
    const paths: string[] = []
    for (let i = 0; i < 150; i++) {
      // Names of any bytes; a line break and a space are the hardest for a protocol of lines.
      paths.push(i === 77 ? 'a \n b' : i === 78 ? 'x\udcff' : `f${i}`)
      writeFileSync(Buffer.from(i === 78 ? `${at('x')}\xff` : at(paths[i]!), 'latin1'), '')
      const path = i === 78 ? Buffer.from(`${at('x')}\xff`, 'latin1') : at(paths[i]!)
      setter.set(path as string, 'user.n', Buffer.from(String(i)), reason => refused.push(reason))
    }
    setter.set(at('f1'), 'nonsense', Buffer.of(1), reason => refused.push(`f1 ${reason}`))
    setter.set(at('f2'), 'user.empty', Buffer.alloc(0), reason => refused.push(`f2 ${reason}`))
    setter.flush()
    setter.flush()
    expect(refused).toEqual([expect.stringMatching(/^f1 (EOPNOTSUPP|ENOTSUP)$/)])
    const read = await readXattrsOf(place.path, paths, { program })
    expect(paths.map(path => Buffer.from(read!.get(path)!.get('user.n')!).toString())).toEqual(
      paths.map((_, i) => String(i)),
    )
    expect(read!.get('f2')!.get('user.empty')).toEqual(Buffer.alloc(0))
  })
})

test('a machine without a program has none, and nothing is read', async () => {
  expect(findXattrProgram([at('none')])).toBeUndefined()
  const program = { path: at('none/perl'), get: [], set: [] }
  expect(await readXattrsOf(place.path, [], { program })).toEqual(new Map())
  await expect(readXattrsOf(place.path, ['a'], { program })).rejects.toThrow(/ENOENT/)
})

test('a program that fails is an error where attributes are read, and a reason where they are set', async () => {
  writeFileSync(at('f'), '')
  const program = { path: '/bin/sh', get: ['-c', 'echo broken >&2; exit 3'], set: ['-c', 'echo broken >&2; exit 3'] }
  expect((await thrownBy(() => readXattrsOf(place.path, ['f'], { program }))).message).toMatch(/sh failed: broken/)
  const reasons: string[] = []
  const setter = new ProgramXattrs(program)
  setter.set(at('f'), 'user.a', Buffer.of(1), reason => reasons.push(reason))
  setter.flush()
  expect(reasons).toEqual(['broken'])
})

test('attributes over the limit are an error, and an abort ends the program', async () => {
  const flood = { path: '/bin/sh', get: ['-c', 'while :; do echo 0 61 00000000000000000000000000000; done'], set: [] }
  const stop = AbortSignal.timeout(100)
  await expect(readXattrsOf(place.path, ['f'], { program: flood, signal: stop })).rejects.toThrow('timeout')
  const zeros = { path: '/bin/sh', get: ['-c', 'head -c 135000000 /dev/zero'], set: [] }
  expect(await thrownBy(() => readXattrsOf(place.path, ['f'], { program: zeros }))).toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
  })
})
