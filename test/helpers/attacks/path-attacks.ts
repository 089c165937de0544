import { type Attack, directory, file, symlink } from './attack.ts'

const levels = (count: number) => Array(count).fill('a').join('/')

/** Names that lead out of the root, or that cannot be names. */
export const pathAttacks: readonly Attack[] = [
  { name: 'path-dotdot-file', layers: () => [[file('../outside/secret')]], refused: 'ERR_INVALID_TAR' },
  { name: 'path-slash-dotdot', layers: () => [[file('a/../../outside/secret')]], refused: 'ERR_INVALID_TAR' },
  { name: 'path-bare-dotdot', layers: () => [[directory('..', { mode: 0o777 })]], refused: 'ERR_INVALID_TAR' },
  { name: 'path-mid-dotdot', layers: () => [[file('a/b/../../../root-evil/secret')]], refused: 'ERR_INVALID_TAR' },
  { name: 'path-mid-dotdot-inside', layers: () => [[file('a/../b')]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'path-absolute',
    layers: ({ outside }) => [[file(`${outside}/secret`), file('//two/slashes'), file('/./dot/./file')]],
    tree: ({ outside }) => ({
      [`${outside.slice(1)}/secret`]: 'file:new',
      'two/slashes': 'file:new',
      'dot/file': 'file:new',
    }),
  },
  { name: 'path-root-as-file', layers: () => [[{ path: '.', content: 'new' }]], refused: 'ERR_INVALID_TAR' },
  { name: 'path-root-as-slash-file', layers: () => [[{ path: '/', type: '0' }]], refused: 'ERR_INVALID_TAR' },
  // Without a ustar type flag the trailing slash makes an entry a directory.
  { name: 'path-root-as-slash', layers: () => [[{ path: '/', type: '\0' }]], tree: () => ({}) },
  { name: 'path-root-as-symlink', layers: ({ outside }) => [[symlink('.', outside)]], refused: 'ERR_INVALID_TAR' },
  { name: 'path-root-as-dotdot-symlink', layers: () => [[symlink('./', '..')]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'path-root-as-hardlink',
    layers: () => [[file('a'), { path: '.', type: '1', link: 'a' }]],
    refused: 'ERR_INVALID_TAR',
  },
  { name: 'path-root-as-fifo', layers: () => [[{ path: '.', type: '6' }]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'path-root-as-directory',
    layers: () => [[directory('.', { mode: 0o700 }), file('a')]],
    tree: () => ({ a: 'file:new' }),
  },
  { name: 'path-empty', layers: () => [[file('')]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'path-nul-in-pax',
    layers: () => [[file('a', 'new', { pax: { path: 'a\0/../../x' } })]],
    refused: 'ERR_INVALID_TAR',
  },
  {
    name: 'path-component-255',
    layers: () => [[file('n'.repeat(255))]],
    tree: () => ({ ['n'.repeat(255)]: 'file:new' }),
  },
  { name: 'path-component-256', layers: () => [[file('n'.repeat(256))]], refused: 'ERR_LIMIT_EXCEEDED' },
  { name: 'path-component-256-bytes', layers: () => [[file('é'.repeat(128))]], refused: 'ERR_LIMIT_EXCEEDED' },
  { name: 'path-4097', layers: () => [[file(`${'d/'.repeat(2048)}f`)]], refused: 'ERR_LIMIT_EXCEEDED' },
  { name: 'path-2000-levels', layers: () => [[file(levels(2000))]], refused: 'ERR_LIMIT_EXCEEDED' },
  { name: 'path-excessively-deep', layers: () => [[file(levels(222_371))]], refused: 'ERR_LIMIT_EXCEEDED' },
  {
    name: 'path-deep-through-links',
    layers: () => [
      [
        directory(levels(500)),
        symlink('s', levels(500)),
        directory(`s/${levels(500)}`),
        symlink('t', `s/${levels(500)}`),
      ],
      [directory(`t/${levels(500)}`)],
    ],
    refused: 'ERR_LIMIT_EXCEEDED',
  },
  {
    name: 'path-backslash',
    layers: () => [[file('..\\..\\outside\\secret'), file('a\\b')]],
    tree: () => ({ '..\\..\\outside\\secret': 'file:new', 'a\\b': 'file:new' }),
  },
  {
    name: 'path-drive',
    layers: () => [[file('C:/x'), file('C:\\y'), file('\\\\?\\z')]],
    tree: () => ({ 'C:/x': 'file:new', 'C:\\y': 'file:new', '\\\\?\\z': 'file:new' }),
  },
  {
    name: 'path-nonutf8',
    layers: () => [[file(Buffer.from('a\xff', 'latin1'), 'one'), file(Buffer.from('a\xfe', 'latin1'), 'two')]],
    tree: () => ({ 'a\xff': 'file:one', 'a\xfe': 'file:two' }),
  },
  {
    name: 'path-nonutf8-directory',
    layers: () => [
      [
        file(Buffer.from('\xc3/\x80f', 'latin1')),
        { path: Buffer.from('\xc3/l', 'latin1'), type: '1', link: Buffer.from('\xc3/\x80f', 'latin1') },
      ],
    ],
    tree: () => ({ '\xc3/\x80f': 'file:new', '\xc3/l': 'file:new' }),
  },
  {
    name: 'path-control-characters',
    layers: () => [[file('a\nb'), file('\u001b[31m'), file('-rf'), file(' ')]],
    tree: () => ({ 'a\nb': 'file:new', '\u001b[31m': 'file:new', '-rf': 'file:new', ' ': 'file:new' }),
  },
  {
    name: 'path-prototype',
    layers: () => [[file('__proto__/x'), file('constructor'), file('a/__proto__')]],
    tree: () => ({ '__proto__/x': 'file:new', constructor: 'file:new', 'a/__proto__': 'file:new' }),
  },
]
