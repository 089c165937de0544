import { type Attack, directory, file, hardLink, symlink } from './attack.ts'

/** Hard links that would give a file of the host a second name, or turn one file of the image into another. */
export const hardLinkAttacks: readonly Attack[] = [
  { name: 'hl-outside-relative', layers: () => [[hardLink('h', '../outside/secret')]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'hl-outside-absolute',
    layers: ({ outside }) => [[hardLink('h', `${outside}/secret`)]],
    refused: 'ERR_INVALID_LINK',
  },
  {
    name: 'hl-outside-directory',
    layers: ({ outside }) => [[hardLink('h', `${outside}/dir`)]],
    refused: 'ERR_INVALID_LINK',
  },
  { name: 'hl-prefix-sibling', layers: () => [[hardLink('h', '../root-evil/secret')]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'hl-outside-through-symlink',
    layers: ({ outside }) => [[symlink('l', outside), hardLink('h', 'l/secret')]],
    refused: 'ERR_INVALID_LINK',
  },
  {
    name: 'hl-outside-through-lower-symlink',
    layers: () => [[symlink('l', '../outside')], [hardLink('h', 'l/secret'), file('h', 'overwritten')]],
    refused: 'ERR_INVALID_LINK',
  },
  {
    name: 'hl-relative',
    layers: () => [[file('a/b'), hardLink('a/c', 'a/b'), hardLink('d', './a//c')]],
    tree: () => ({ 'a/b': 'file:new', 'a/c': 'file:new', d: 'file:new' }),
  },
  {
    name: 'hl-through-inner-symlink',
    layers: () => [[file('usr/lib/x'), symlink('lib', 'usr/lib'), hardLink('lib/y', 'lib/x')]],
    tree: () => ({ 'usr/lib/x': 'file:new', lib: 'link:usr/lib', 'usr/lib/y': 'file:new' }),
  },
  {
    name: 'hl-to-symlink',
    layers: ({ outside }) => [[symlink('s', `${outside}/secret`), hardLink('h', 's')]],
    tree: ({ outside }) => ({ s: `link:${outside}/secret`, h: `link:${outside}/secret` }),
  },
  {
    name: 'hl-to-symlink-chmod',
    layers: ({ outside }) => [
      [symlink('s', `${outside}/secret`), hardLink('h', 's', { mode: 0o4777, uid: 1234, gid: 1234, mtime: 1 })],
    ],
    tree: ({ outside }) => ({ s: `link:${outside}/secret`, h: `link:${outside}/secret` }),
  },
  {
    name: 'hl-to-symlink-then-file',
    layers: ({ outside }) => [[symlink('s', `${outside}/secret`), hardLink('h', 's')], [file('h')]],
    tree: ({ outside }) => ({ s: `link:${outside}/secret`, h: 'file:new' }),
  },
  { name: 'hl-before-target', layers: () => [[hardLink('h', 'f'), file('f')]], refused: 'ERR_INVALID_LINK' },
  { name: 'hl-forward', layers: () => [[hardLink('a', 'b'), hardLink('b', 'a')]], refused: 'ERR_INVALID_LINK' },
  { name: 'hl-missing', layers: () => [[hardLink('h', 'not/there')]], refused: 'ERR_INVALID_LINK' },
  { name: 'hl-self', layers: () => [[file('f'), hardLink('f', 'f')]], refused: 'ERR_INVALID_LINK' },
  {
    name: 'hl-self-through-link',
    layers: () => [[file('f'), symlink('l', '.'), hardLink('l/f', 'f')]],
    refused: 'ERR_INVALID_LINK',
  },
  { name: 'hl-inside-itself', layers: () => [[file('d/f'), hardLink('d', 'd/f')]], refused: 'ERR_INVALID_LINK' },
  { name: 'hl-dir', layers: () => [[directory('d'), hardLink('h', 'd')]], refused: 'ERR_INVALID_LINK' },
  { name: 'hl-root', layers: () => [[hardLink('h', '.')]], refused: 'ERR_INVALID_LINK' },
  {
    name: 'hl-with-body',
    layers: () => [[file('f'), hardLink('h', 'f', { content: 'body' }), file('g')]],
    refused: 'ERR_INVALID_TAR',
  },
  {
    name: 'hl-write-through',
    layers: () => [[file('f', 'old'), hardLink('g', 'f'), file('g', 'new', { mode: 0o600 })]],
    tree: () => ({ f: 'file:old@644', g: 'file:new@600' }),
    skipped: ['duplicate g'],
  },
  {
    name: 'hl-sep-override',
    layers: () => [[file('f', 'old'), hardLink('g', 'f')], [file('g', 'new')]],
    tree: () => ({ f: 'file:old', g: 'file:new' }),
  },
  {
    name: 'hl-lower-chmod',
    layers: () => [[file('f', 'old', { mode: 0o600 })], [hardLink('g', 'f', { mode: 0o4777, uid: 4 })]],
    tree: () => ({ f: 'file:old@600', g: 'file:old@600' }),
  },
  {
    name: 'hl-to-hidden',
    layers: () => [[file('f')], [file('.wh.f', ''), hardLink('g', 'f')]],
    refused: 'ERR_INVALID_LINK',
  },
  {
    name: 'hl-hidden-afterwards',
    layers: () => [[file('f')], [hardLink('g', 'f'), file('.wh.f', '')]],
    refused: 'ERR_INVALID_LINK',
  },
]
