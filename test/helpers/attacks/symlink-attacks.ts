import { type Attack, directory, file, hardLink, symlink } from './attack.ts'

const chain = (count: number) => [
  ...Array.from({ length: count }, (_, i) => symlink(`l${i}`, `l${i + 1}`)),
  directory(`l${count}`),
]
const chainTree = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, `link:l${i + 1}`]))

/** Symbolic links on the path of later entries. Below the root each resolves as it would in a container. */
export const symlinkAttacks: readonly Attack[] = [
  {
    name: 'sym-write-through-absolute',
    layers: ({ outside }) => [[symlink('l', outside), file('l/secret')]],
    tree: ({ outside }) => ({ l: `link:${outside}`, [`${outside.slice(1)}/secret`]: 'file:new' }),
  },
  {
    name: 'sym-write-through-relative',
    layers: () => [[symlink('l', '../outside'), file('l/secret')]],
    tree: () => ({ l: 'link:../outside', 'outside/secret': 'file:new' }),
  },
  {
    name: 'sym-write-through-many-dotdot',
    layers: ({ outside }) => [[symlink('a/b/l', `${'../'.repeat(40)}${outside.slice(1)}`), file('a/b/l/secret')]],
    tree: ({ outside }) => ({
      'a/b/l': `link:${'../'.repeat(40)}${outside.slice(1)}`,
      [`${outside.slice(1)}/secret`]: 'file:new',
    }),
  },
  {
    name: 'sym-two-hop',
    layers: ({ outside }) => [[symlink('a', 'b'), symlink('b', outside), file('a/secret')]],
    tree: ({ outside }) => ({ a: 'link:b', b: `link:${outside}`, [`${outside.slice(1)}/secret`]: 'file:new' }),
  },
  {
    name: 'sym-two-hop-dotdot',
    layers: () => [[symlink('a', '.'), symlink('a/b', '..'), symlink('a/b/c', '..'), file('a/b/c/outside/secret')]],
    tree: () => ({ a: 'link:.', b: 'link:..', c: 'link:..', 'outside/secret': 'file:new' }),
  },
  {
    name: 'sym-chain-200',
    layers: () => [[...chain(200), file('l0/x')]],
    tree: () => ({ ...chainTree(200), l200: 'dir', 'l200/x': 'file:new' }),
  },
  { name: 'sym-chain-300', layers: () => [[...chain(300), file('l0/x')]], refused: 'ERR_TOO_MANY_LINKS' },
  {
    name: 'sym-loop',
    layers: () => [[symlink('a', 'b'), symlink('b', 'a'), file('a/x')]],
    refused: 'ERR_TOO_MANY_LINKS',
  },
  { name: 'sym-self', layers: () => [[symlink('a', 'a'), file('a/x')]], refused: 'ERR_TOO_MANY_LINKS' },
  { name: 'sym-growing', layers: () => [[symlink('a', 'a/a/a/a'), file('a/x')]], refused: 'ERR_TOO_MANY_LINKS' },
  {
    name: 'sym-dangling-parent',
    layers: () => [[symlink('l', '/not/there'), file('l/x')]],
    tree: () => ({ l: 'link:/not/there', 'not/there/x': 'file:new' }),
  },
  {
    name: 'sym-proc-self-root',
    layers: ({ outside }) => [[symlink('l', `/proc/self/root${outside}`), file('l/secret')]],
    tree: ({ outside }) => ({
      l: `link:/proc/self/root${outside}`,
      [`proc/self/root${outside}/secret`]: 'file:new',
    }),
  },
  {
    name: 'sym-proc-self-cwd',
    layers: () => [[symlink('l', '/proc/self/cwd'), file('l/x'), symlink('m', '/proc/self/fd/3'), file('m/y')]],
    tree: () => ({
      l: 'link:/proc/self/cwd',
      m: 'link:/proc/self/fd/3',
      'proc/self/cwd/x': 'file:new',
      'proc/self/fd/3/y': 'file:new',
    }),
  },
  {
    name: 'sym-to-root',
    layers: () => [[symlink('l', '/'), file('l/x'), symlink('m', '..'), file('m/y'), symlink('n', '.'), file('n/z')]],
    tree: () => ({ l: 'link:/', m: 'link:..', n: 'link:.', x: 'file:new', y: 'file:new', z: 'file:new' }),
  },
  {
    name: 'sym-from-lower-layer',
    layers: ({ outside }) => [[symlink('l', outside)], [file('l/secret')]],
    tree: ({ outside }) => ({ l: `link:${outside}`, [`${outside.slice(1)}/secret`]: 'file:new' }),
  },
  {
    name: 'sym-var-run',
    layers: () => [[directory('run'), directory('var'), symlink('var/run', '/run')], [file('var/run/lock/x')]],
    tree: () => ({ run: 'dir', var: 'dir', 'var/run': 'link:/run', 'run/lock/x': 'file:new' }),
  },
  {
    name: 'sym-directory-under-link',
    layers: ({ outside }) => [[symlink('l', outside), directory('l/dir', { mode: 0o777, mtime: 9 })]],
    tree: ({ outside }) => ({ l: `link:${outside}`, [`${outside.slice(1)}/dir`]: 'dir@777' }),
  },
  {
    name: 'sym-link-under-link',
    layers: ({ outside }) => [[symlink('l', outside), symlink('l/secret', 'x'), file('g'), hardLink('l/h', 'g')]],
    tree: ({ outside }) => ({
      l: `link:${outside}`,
      g: 'file:new',
      [`${outside.slice(1)}/secret`]: 'link:x',
      [`${outside.slice(1)}/h`]: 'file:new',
    }),
  },
  {
    name: 'sym-cache-poison',
    layers: ({ outside }) => [[directory('d'), file('d/x'), symlink('d', outside), file('d/secret')]],
    tree: ({ outside }) => ({ d: `link:${outside}`, [`${outside.slice(1)}/secret`]: 'file:new' }),
    skipped: ['duplicate d'],
  },
  {
    name: 'sym-cache-poison-next-layer',
    layers: ({ outside }) => [[directory('d/e'), file('d/e/x')], [symlink('d', outside)], [file('d/secret')]],
    tree: ({ outside }) => ({ d: `link:${outside}`, [`${outside.slice(1)}/secret`]: 'file:new' }),
  },
  {
    name: 'sym-cache-poison-nfc',
    layers: ({ outside }) => [[directory('caf\u00e9'), symlink('cafe\u0301', outside), file('caf\u00e9/secret')]],
    tree: ({ outside }) => ({
      'caf\u00e9': 'dir',
      'cafe\u0301': `link:${outside}`,
      'caf\u00e9/secret': 'file:new',
    }),
  },
  {
    name: 'sym-cache-poison-sharp-s',
    layers: ({ outside }) => [
      [directory('\u00df'), symlink('ss', outside), symlink('SS', outside), file('\u00df/secret')],
    ],
    tree: ({ outside }) => ({
      '\u00df': 'dir',
      ss: `link:${outside}`,
      SS: `link:${outside}`,
      '\u00df/secret': 'file:new',
    }),
  },
  {
    name: 'sym-cache-poison-case',
    layers: ({ outside }) => [[directory('dir'), symlink('DIR', outside), file('dir/secret')]],
    tree: ({ outside }) => ({ dir: 'dir', DIR: `link:${outside}`, 'dir/secret': 'file:new' }),
  },
  {
    name: 'sym-cache-poison-backslash',
    layers: ({ outside }) => [[directory('a/b'), symlink('a\\b', outside), file('a/b/secret')]],
    tree: ({ outside }) => ({ 'a/b': 'dir', 'a\\b': `link:${outside}`, 'a/b/secret': 'file:new' }),
  },
  {
    name: 'sym-override-path',
    layers: ({ outside }) => [[directory('a/b/c'), file('a/b/c/x'), symlink('a', outside), file('a/b/c/secret')]],
    tree: ({ outside }) => ({ a: `link:${outside}`, [`${outside.slice(1)}/b/c/secret`]: 'file:new' }),
  },
  {
    name: 'sym-then-dir-chmod',
    layers: ({ outside }) => [[symlink('l', `${outside}/dir`), directory('l', { mode: 0o777, uid: 1234, mtime: 1 })]],
    tree: () => ({ l: 'dir@777' }),
    skipped: ['duplicate l'],
    needsRoot: true,
  },
  {
    name: 'sym-lower-then-dir-chmod',
    layers: ({ outside }) => [[symlink('l', `${outside}/dir`)], [directory('l', { mode: 0o777 }), file('l/inner')]],
    tree: () => ({ l: 'dir@777', 'l/inner': 'file:new' }),
  },
  {
    name: 'sym-then-file',
    layers: ({ outside }) => [[symlink('l', `${outside}/secret`), file('l', 'new', { mode: 0o600 })]],
    tree: () => ({ l: 'file:new@600' }),
    skipped: ['duplicate l'],
  },
  {
    name: 'sym-lower-then-file',
    layers: ({ outside }) => [[symlink('l', `${outside}/secret`)], [file('l', 'new', { mode: 0o4755 })]],
    tree: () => ({ l: 'file:new@4755' }),
    needsRoot: true,
  },
  {
    name: 'sym-dangling-then-file',
    layers: ({ outside }) => [[symlink('l', `${outside}/made`)], [file('l')]],
    tree: () => ({ l: 'file:new' }),
  },
  {
    name: 'sym-metadata-of-link',
    layers: ({ outside }) => [[symlink('l', `${outside}/secret`, { mode: 0o777, uid: 1234, gid: 1234, mtime: 1 })]],
    tree: ({ outside }) => ({ l: `link:${outside}/secret` }),
    needsRoot: true,
  },
  {
    name: 'sym-whiteout-through',
    layers: ({ outside }) => [[symlink('l', outside)], [file('l/.wh.secret', ''), file('l/.wh..wh..opq', '')]],
    tree: ({ outside }) => ({ l: `link:${outside}`, [outside.slice(1)]: 'dir' }),
  },
  {
    name: 'sym-whiteout-of-link',
    layers: ({ outside }) => [[symlink('l', `${outside}/dir`)], [file('.wh.l', '')]],
    tree: () => ({}),
  },
  {
    name: 'sym-opaque-over-link',
    layers: ({ outside }) => [[directory('d'), symlink('d/l', outside)], [file('d/.wh..wh..opq', '')]],
    tree: () => ({ d: 'dir' }),
  },
  { name: 'sym-empty-target', layers: () => [[{ path: 'l', type: '2' }]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'sym-nul-in-target',
    layers: () => [[symlink('l', 'x', { pax: { linkpath: 'a\0b' } })]],
    refused: 'ERR_INVALID_TAR',
  },
  { name: 'sym-target-4097', layers: () => [[symlink('l', 'a/'.repeat(2049))]], refused: 'ERR_LIMIT_EXCEEDED' },
]
