import { describe, expect, test } from 'vitest'
import {
  buildImage,
  createMemoryTree,
  createViewTree,
  dockerfileStages,
  planFileCopy,
} from '../../../lib/build/index.ts'
import { writeLayer } from '../../../lib/layer/index.ts'
import { openUnionView } from '../../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { copiedTree, describeView, directory, file, link } from '../../helpers/copied-tree.ts'

const conflict = expect.objectContaining({ code: 'ERR_BUILD_COPY_CONFLICT' })
const missing = expect.objectContaining({ code: 'ERR_BUILD_SOURCE_NOT_FOUND' })

async function built(dockerfile: string) {
  const store = createMemoryStore()
  const image = await buildImage(store, dockerfileStages(dockerfile), { context: { files: { 'a.txt': 'A' } } })
  return { view: await openUnionView(store, image.descriptor) }
}

describe('the numbered rules of COPY, read from the source of BuildKit 73ed6825', () => {
  test('1: a destination with a slash is a directory, one without is the file', async () => {
    const source = { f: 'x' }
    expect(await copiedTree({ source, paths: ['f'], destination: '/d/' })).toEqual({
      d: 'directory 755',
      'd/f': 'file 644 "x"',
    })
    expect(await copiedTree({ source, paths: ['f'], destination: '/d' })).toEqual({ d: 'file 644 "x"' })
  })

  test('2: sources that are absolute or lead above the root are taken from the root', async () => {
    const source = { 'a/f': 'x' }
    for (const path of ['/a/f', '../a/f', '../../a/../a/f', './a//f']) {
      expect(await copiedTree({ source, paths: [path], destination: '/g' })).toEqual({ g: 'file 644 "x"' })
    }
  })

  test('3: a wildcard stops at a slash, matches leading dots, and copies matched directories by their content', async () => {
    const source = { 'a.js': '1', '.b.js': '2', 'd/c.js': '3', 'e.js/f': '4', 'x?y': '5' }
    const copy = (path: string) => copiedTree({ source, paths: [path], destination: '/o/' })
    expect(Object.keys(await copy('*.js'))).toEqual(['o', 'o/.b.js', 'o/a.js', 'o/f'])
    expect(Object.keys(await copy('**.js'))).toEqual(['o', 'o/.b.js', 'o/a.js', 'o/f'])
    expect(Object.keys(await copy('*/*.js'))).toEqual(['o', 'o/c.js'])
    expect(Object.keys(await copy('[a-c].js'))).toEqual(['o', 'o/a.js'])
    expect(Object.keys(await copy('[^a].j?'))).toEqual(['o', 'o/f'])
    expect(Object.keys(await copy('x\\?[y]'))).toEqual(['o', 'o/x?y'])
  })

  test('3: a wildcard without a match copies nothing; a missing literal beginning or path is an error', async () => {
    const source = { 'd/f': 'x' }
    expect(await copiedTree({ source, paths: ['*.none', 'd/*.none'], destination: '/o/' })).toEqual({})
    await expect(copiedTree({ source, paths: ['nodir/*.x'] })).rejects.toThrow(missing)
    await expect(copiedTree({ source, paths: ['nofile'] })).rejects.toThrow(missing)
    await expect(copiedTree({ source, paths: ['d/f/g'] })).rejects.toThrow(missing)
    await expect(copiedTree({ source, paths: ['d/f/*'] })).rejects.toThrow(missing)
    const malformed = expect.objectContaining({ code: 'ERR_BUILD_INVALID_STEP' })
    await expect(copiedTree({ source, paths: ['[a'] })).rejects.toThrow(malformed)
  })

  test('4: a link that is named as source is followed inside the root, links inside a tree stay links', async () => {
    const source = [
      file('real/f'),
      link('abs', '/real'),
      link('up', '../../../real/f'),
      link('real/dangling', 'nowhere'),
      link('real/out', '/etc'),
    ]
    expect(await copiedTree({ source, paths: ['abs'], destination: '/o' })).toEqual({
      o: 'directory 755',
      'o/dangling': 'symlink -> nowhere',
      'o/f': 'file 644 "real/f"',
      'o/out': 'symlink -> /etc',
    })
    expect(await copiedTree({ source, paths: ['up'], destination: '/o/' })).toEqual({
      o: 'directory 755',
      'o/up': 'file 644 "real/f"',
    })
    expect(await copiedTree({ source, paths: ['abs/f'], destination: '/f' })).toEqual({ f: 'file 644 "real/f"' })
    await expect(copiedTree({ source, paths: ['real/dangling'] })).rejects.toThrow(missing)
    const loop = [link('a', 'b'), link('b', 'a')]
    const endless = expect.objectContaining({ code: 'ERR_TOO_MANY_LINKS' })
    await expect(copiedTree({ source: loop, paths: ['a'] })).rejects.toThrow(endless)
  })

  test('5: the content of a directory goes into the destination, made 0755 whatever the source directory is', async () => {
    const source = [directory('s', { mode: 0o700, uid: 5 }), file('s/f'), directory('s/d', { mode: 0o750 })]
    const expected = { 'o/d': 'directory 750', 'o/f': 'file 644 "s/f"' }
    expect(await copiedTree({ source, paths: ['s'], destination: '/o' })).toEqual({ o: 'directory 755', ...expected })
    const below = [directory('o', { mode: 0o711, uid: 3 }), file('o/old')]
    expect(await copiedTree({ below, source, paths: ['s'], destination: '/o' })).toEqual({
      ...expected,
      o: 'directory 711 3:0',
      'o/old': 'file 644 "o/old"',
    })
    expect(await copiedTree({ source, paths: ['s'], destination: '/o', chown: '7', chmod: '751' })).toEqual({
      o: 'directory 751 7:7',
      'o/d': 'directory 751 7:7',
      'o/f': 'file 751 7:7 "s/f"',
    })
  })

  test('6: a file goes into an existing directory, also behind a link, and else to the path itself', async () => {
    const below = [directory('d'), link('l', 'd'), file('old')]
    const source = { f: 'x' }
    const copy = (destination: string) => copiedTree({ below, source, paths: ['f'], destination })
    expect(await copy('/d')).toMatchObject({ 'd/f': 'file 644 "x"' })
    expect(await copy('/l')).toMatchObject({ 'd/f': 'file 644 "x"', l: 'symlink -> d' })
    expect(await copy('/old')).toMatchObject({ old: 'file 644 "x"' })
  })

  test('6: several files onto one new path without a slash are an error', async () => {
    const source = { a: '1', b: '2', 'd/c': '3' }
    await expect(copiedTree({ source, paths: ['a', 'b'], destination: '/o' })).rejects.toThrow(conflict)
    await expect(copiedTree({ source, paths: ['[ab]'], destination: '/o' })).rejects.toThrow(conflict)
    const merged = await copiedTree({ source, paths: ['d', 'a', 'b'], destination: '/o' })
    expect(Object.keys(merged)).toEqual(['o', 'o/a', 'o/b', 'o/c'])
  })

  test('7: links of the destination are followed inside the root, also dangling ones at the end', async () => {
    const below = [
      link('out', '/../../srv'),
      directory('srv'),
      link('dangling', '/nowhere/deep'),
      link('f', 'srv/g'),
      file('srv/g'),
    ]
    const source = { f: 'x', 't/f': 'y' }
    const copy = (destination: string, path = 'f') => copiedTree({ below, source, paths: [path], destination })
    expect(await copy('/out/n/')).toMatchObject({ 'srv/n/f': 'file 644 "x"', out: 'symlink -> /../../srv' })
    expect(await copy('/dangling')).toMatchObject({ 'nowhere/deep': 'file 644 "x"' })
    expect(await copy('/f')).toMatchObject({ 'srv/g': 'file 644 "x"', f: 'symlink -> srv/g' })
    expect(await copy('/dangling', 't')).toMatchObject({
      'nowhere/deep': 'directory 755',
      'nowhere/deep/f': 'file 644 "y"',
    })
    const loop = [link('a', 'b'), link('b', 'a')]
    const endless = expect.objectContaining({ code: 'ERR_TOO_MANY_LINKS' })
    await expect(copiedTree({ below: loop, source, paths: ['f'], destination: '/a' })).rejects.toThrow(endless)
  })

  test('7: --link begins with an empty tree and replaces links and files by directories', async () => {
    const below = [link('l', 'srv'), directory('srv', { mode: 0o700 }), file('f')]
    const source = { x: '1' }
    const copy = (destination: string) => copiedTree({ below, source, paths: ['x'], destination, link: true })
    expect(await copy('/l/')).toMatchObject({ l: 'directory 755', 'l/x': 'file 644 "1"' })
    expect(await copy('/srv/')).toMatchObject({ srv: 'directory 755', 'srv/x': 'file 644 "1"' })
    expect(await copy('/f/')).toMatchObject({ f: 'directory 755', 'f/x': 'file 644 "1"' })
  })

  test('8: inside a tree directories merge and take mode and owner of the source; files replace files and links', async () => {
    const below = [directory('o/d', { mode: 0o700, uid: 3 }), file('o/d/old'), file('o/f'), link('o/l', 'd')]
    const source = [directory('s/d', { mode: 0o711 }), file('s/d/new'), file('s/f', { content: 'new' }), file('s/l')]
    expect(await copiedTree({ below, source, paths: ['s'], destination: '/o' })).toEqual({
      o: 'directory 755',
      'o/d': 'directory 711',
      'o/d/new': 'file 644 "s/d/new"',
      'o/d/old': 'file 644 "o/d/old"',
      'o/f': 'file 644 "new"',
      'o/l': 'file 644 "s/l"',
    })
  })

  test.each([
    ['a directory onto a file', [file('o/x')], [directory('s/x')]],
    ['a directory onto a link to a directory', [directory('d'), link('o/x', '/d')], [directory('s/x')]],
    ['a file onto a directory', [directory('o/x')], [file('s/x')]],
    ['a link onto a directory', [directory('o/x')], [link('s/x', 'y')]],
  ])('8: inside a tree, %s is an error', async (_, below, source) => {
    await expect(copiedTree({ below, source, paths: ['s'], destination: '/o' })).rejects.toThrow(conflict)
  })

  test('8: a directory onto a file, and a path that leads through a file, are errors', async () => {
    const below = [file('f')]
    const source = { 'd/x': '1' }
    await expect(copiedTree({ below, source, paths: ['d'], destination: '/f' })).rejects.toThrow(conflict)
    await expect(copiedTree({ below, source, paths: ['d/x'], destination: '/f/g' })).rejects.toThrow(conflict)
    await expect(copiedTree({ below, source, paths: ['d/x'], destination: '/f/' })).rejects.toThrow(conflict)
  })

  test('9: files of a context belong to 0:0; those of a stage keep owners, but not the copied directory itself', async () => {
    const files = [
      ...[directory('s', { uid: 1, gid: 2 }), file('s/f', { uid: 3, gid: 4, mode: 0o4755 }), link('s/l', 'f')],
      { path: 's/p', type: 'fifo' as const, uid: 5 },
      { path: 's/c', type: 'character-device' as const, devMajor: 1, devMinor: 3 },
    ]
    const copy = (keepsOwners: boolean) =>
      copiedTree({ source: createMemoryTree(files, { name: 'x', keepsOwners }), paths: ['s'], destination: '/o' })
    expect(await copy(false)).toEqual({
      o: 'directory 755',
      'o/c': 'character-device 644',
      'o/f': 'file 4755 "s/f"',
      'o/l': 'symlink -> f',
      'o/p': 'fifo 644',
    })
    expect(await copy(true)).toMatchObject({ o: 'directory 755', 'o/f': 'file 4755 3:4 "s/f"', 'o/p': 'fifo 644 5:0' })
  })

  test('9: hard links are kept within one source, times and extended attributes are kept', async () => {
    await using store = createMemoryStore()
    const xattrs = new Map([['user.k', Buffer.from('v')]])
    const stage = [file('d/a', { mtime: 12, xattrs }), { path: 'd/b', type: 'hardlink' as const, linkname: 'd/a' }]
    const base = await writeLayer(store, stage, { compression: 'none' })
    const tree = createViewTree(await openUnionView(store, [base]), 'stage')
    expect(await copiedTree({ source: tree, paths: ['d', 'd/b'], destination: '/o/' })).toEqual({
      o: 'directory 755',
      'o/a': 'file 644 "d/a"',
      'o/b': 'file 644 "d/a"',
    })
    expect(await copiedTree({ source: tree, paths: ['d'], destination: '/o/' })).toEqual({
      o: 'directory 755',
      'o/a': 'file 644 "d/a"',
      'o/b': 'hardlink 644 = o/a',
    })
    const plan = await planFileCopy({ sources: [{ tree, path: 'd' }], destination: '/o' })
    const layer = await writeLayer(store, plan.entries({ below: undefined, time: 7 }))
    const copied = (await openUnionView(store, [layer])).stat('o/a')
    expect(copied).toMatchObject({ mtime: 12, xattrs: new Map([['user.k', expect.anything()]]) })
  })

  test('10: created directories are 0755, get the owner, and an octal mode but no symbolic one', async () => {
    const copy = (chmod: string) =>
      copiedTree({ source: { f: 'x' }, paths: ['f'], destination: '/a/b/', chown: '3:4', chmod })
    expect(await copy('600')).toEqual({
      a: 'directory 600 3:4',
      'a/b': 'directory 600 3:4',
      'a/b/f': 'file 600 3:4 "x"',
    })
    expect(await copy('4711')).toMatchObject({ a: 'directory 711 3:4', 'a/b/f': 'file 4711 3:4 "x"' })
    // As the Docker Engine, whose umask is 022.
    expect(await copy('777')).toMatchObject({ a: 'directory 755 3:4', 'a/b/f': 'file 777 3:4 "x"' })
    expect(await copy('go-r')).toEqual({
      a: 'directory 755 3:4',
      'a/b': 'directory 755 3:4',
      'a/b/f': 'file 600 3:4 "x"',
    })
  })

  test('11: --chown by number and by name of the stage, of everything that is copied, links too', async () => {
    const below = {
      'etc/passwd': 'root:x:0:0::/:\napp:x:100:200::/:\n',
      'etc/group': 'web:x:300:\n',
    }
    const source = [file('s/f'), link('s/l', 'f')]
    const owners = async (chown: string) => {
      const tree = await copiedTree({ below, source, paths: ['s'], destination: '/o', chown })
      return [tree['o/f'], tree['o/l']].map(line => / (\d+:\d+)/.exec(line!)?.[1] ?? '0:0')
    }
    const both = (owner: string) => [owner, owner]
    expect(await owners('5')).toEqual(both('5:5'))
    expect(await owners('5:6')).toEqual(both('5:6'))
    expect(await owners('app')).toEqual(both('100:200'))
    expect(await owners('app:web')).toEqual(both('100:300'))
    expect(await owners('app:')).toEqual(both('100:0'))
    expect(await owners(':web')).toEqual(both('0:300'))
    expect(await owners('root')).toEqual(both('0:0'))
  })

  test('11: an unknown name is an error, and --link takes names from the stage', async () => {
    const below = { 'etc/passwd': 'app:x:100:200::/:\n' }
    const unknown = expect.objectContaining({ code: 'ERR_BUILD_UNKNOWN_ACCOUNT' })
    const copy = (chown: string, rest = {}) => copiedTree({ below, source: { f: '' }, paths: ['f'], chown, ...rest })
    await expect(copy('nobody')).rejects.toThrow(unknown)
    await expect(copy('app:none')).rejects.toThrow(unknown)
    await expect(copiedTree({ source: { f: '' }, paths: ['f'], chown: 'app' })).rejects.toThrow(unknown)
    expect(await copy('app', { link: true })).toMatchObject({ f: 'file 644 100:200' })
  })

  test('12: --chmod is octal or a list that works on the mode of each entry', async () => {
    const source = [
      directory('s/d', { mode: 0o700 }),
      file('s/f', { mode: 0o640 }),
      file('s/x', { mode: 0o711 }),
      link('s/l', 'f'),
    ]
    const modes = async (chmod: string) => {
      const tree = await copiedTree({ source, paths: ['s'], destination: '/o', chmod })
      return [tree['o/d'], tree['o/f'], tree['o/x'], tree['o/l']].map(line => line!.split(' ')[1])
    }
    expect(await modes('4750')).toEqual(['4750', '4750', '4750', '->'])
    expect(await modes('u=rwX,go=rX')).toEqual(['755', '644', '755', '->'])
    expect(await modes('+x')).toEqual(['711', '751', '711', '->'])
    expect(await modes('g=u,o-rwx')).toEqual(['770', '660', '770', '->'])
    for (const bad of ['8', '10000', 'u', 'z+x', 'u+q', '']) {
      await expect(modes(bad)).rejects.toThrow(expect.objectContaining({ code: 'ERR_BUILD_INVALID_STEP' }))
    }
  })

  test('13: --exclude leaves out paths below each source, and files that are named directly', async () => {
    const source = { 's/a.txt': '1', 's/b.md': '2', 's/d/c.txt': '3', 's/d/e': '4', 'top.txt': '5' }
    const copy = async (exclude: string[], paths = ['s', 'top.txt']) =>
      Object.keys(await copiedTree({ source, paths, destination: '/o/', exclude }))
    expect(await copy(['*.txt'])).toEqual(['o', 'o/b.md', 'o/d', 'o/d/c.txt', 'o/d/e'])
    expect(await copy(['**/*.txt'])).toEqual(['o', 'o/b.md', 'o/d', 'o/d/e'])
    expect(await copy(['d', '!d/e'])).toEqual(['o', 'o/a.txt', 'o/b.md', 'o/d', 'o/d/e', 'o/top.txt'])
    expect(await copy(['d'])).toEqual(['o', 'o/a.txt', 'o/b.md', 'o/top.txt'])
    expect(await copy(['*.txt'], ['*.txt'])).toEqual([])
  })

  test('14: --parents recreates the path below the pivot', async () => {
    const source = [
      ...[directory('a', { mode: 0o711 }), file('a/b/f'), file('a/b/g'), file('m/1/src/x'), file('m/2/src/y')],
    ]
    const copy = (path: string) => copiedTree({ source, paths: [path], destination: '/o', parents: true })
    expect(await copy('a/b/f')).toEqual({
      o: 'directory 755',
      'o/a': 'directory 711',
      'o/a/b': 'directory 755',
      'o/a/b/f': 'file 644 "a/b/f"',
    })
    expect(Object.keys(await copy('a/./b/f'))).toEqual(['o', 'o/b', 'o/b/f'])
    expect(Object.keys(await copy('**/x'))).toEqual(['o', 'o/m', 'o/m/1', 'o/m/1/src', 'o/m/1/src/x'])
    expect(Object.keys(await copy('m/*/./src'))).toEqual(['o', 'o/src', 'o/src/x', 'o/src/y'])
    expect(Object.keys(await copy('./a/./b/f'))).toEqual(['o', 'o/b', 'o/b/f'])
    for (const nothing of ['*.none', 'm/*/./none']) expect(Object.keys(await copy(nothing))).toEqual(['o'])
    for (const path of ['a/none', 'a/./none']) await expect(copy(path)).rejects.toThrow(missing)
  })

  test('15: files of here-documents have no time of a source: the time of the step counts', async () => {
    const { view } = await built('FROM scratch\nCOPY <<a <<"b" /o/\n$V\na\n$V\nb\n')
    expect(await describeView(view)).toEqual({
      o: 'directory 755',
      'o/a': 'file 644 "\\n"',
      'o/b': 'file 644 "$V\\n"',
    })
    expect(view.stat('o/a')?.mtime).toBe(view.stat('o')?.mtime)
  })

  test('16: --from takes a number, a name in any case, or an image; a later stage and itself are errors', async () => {
    const one = 'FROM scratch AS one\nCOPY a.txt /\n'
    for (const from of ['0', 'one', 'ONE']) {
      const { view } = await built(`${one}FROM scratch\nCOPY --from=${from} a.txt /o\n`)
      expect(await describeView(view)).toEqual({ o: 'file 644 "A"' })
    }
    await expect(built(`FROM scratch AS a\nCOPY --from=b x /\n${one.replace('one', 'b')}FROM a`)).rejects.toThrow()
    const self = expect.objectContaining({ code: 'ERR_DOCKERFILE_STAGE' })
    await expect(built('FROM scratch AS a\nCOPY --from=a x /\n')).rejects.toThrow(self)
  })
})
