import type { RawEntry } from '../raw-tar.ts'

/** Layers with whiteouts, and the expected result of stacking them. */
export interface WhiteoutCase {
  /** The case's name in the catalogue of attacks. */
  name: string
  /** Layers, lowest first. `{outside}` is replaced with a directory beside the target. */
  layers: RawEntry[][]
  /** Expected tree, or the code of the expected error. */
  gives: string[] | { code: string }
}

const file = (path: string, content = ''): RawEntry => ({ path, content })
const dir = (path: string): RawEntry => ({ path: `${path}/` })
const link = (path: string, to: string): RawEntry => ({ path, link: to })
const refused = { code: 'ERR_INVALID_WHITEOUT' }
const etc = [dir('etc'), file('etc/low', 'low')]
const usual = ['etc', 'etc/low=low']

/** Whiteouts and opaque marks of all names, places and kinds. */
export const whiteoutCases: readonly WhiteoutCase[] = [
  { name: 'wh-empty-name', layers: [etc, [file('etc/.wh.')]], gives: refused },
  { name: 'wh-dot', layers: [etc, [file('etc/.wh..')]], gives: refused },
  { name: 'wh-dotdot', layers: [etc, [file('etc/.wh...')]], gives: refused },
  { name: 'wh-root-empty-name', layers: [etc, [file('.wh.')]], gives: refused },
  { name: 'wh-root-dot', layers: [etc, [file('.wh..')]], gives: refused },
  { name: 'wh-root-dotdot', layers: [etc, [file('.wh...')]], gives: refused },
  { name: 'wh-root-dotdot-in-first-layer', layers: [[file('.wh...')]], gives: refused },
  {
    name: 'wh-double-dot-name',
    layers: [[...etc, file('etc/..data', 'low')], [file('etc/.wh...data')]],
    gives: usual,
  },
  { name: 'wh-prefix-in-dir-component', layers: [etc, [file('.wh.etc/child')]], gives: refused },
  { name: 'wh-prefix-in-dir-component-deep', layers: [etc, [file('etc/.wh.x/y/z')]], gives: refused },
  { name: 'wh-prefix-then-dotdot', layers: [etc, [file('.wh.x/..')]], gives: { code: 'ERR_INVALID_TAR' } },
  { name: 'wh-opq-as-directory-component', layers: [etc, [file('etc/.wh..wh..opq/x')]], gives: refused },
  {
    name: 'wh-opq-first',
    layers: [etc, [file('etc/.wh..wh..opq'), file('etc/new', 'new')]],
    gives: ['etc', 'etc/new=new'],
  },
  {
    name: 'wh-opq-last',
    layers: [etc, [file('etc/new', 'new'), file('etc/.wh..wh..opq')]],
    gives: ['etc', 'etc/new=new'],
  },
  { name: 'wh-opq-root', layers: [etc, [file('new', 'new'), file('.wh..wh..opq')]], gives: ['new=new'] },
  {
    name: 'wh-opq-whole-subtree',
    layers: [[file('a/b/c/d', 'low')], [file('a/b/new', 'new'), file('a/.wh..wh..opq')]],
    gives: ['a', 'a/b', 'a/b/new=new'],
  },
  {
    name: 'wh-opq-on-file',
    layers: [[file('f', 'low')], [file('f/.wh..wh..opq')]],
    gives: ['f'],
  },
  { name: 'wh-hide-in-file', layers: [[file('f', 'low')], [file('f/.wh.x')]], gives: ['f=low'] },
  { name: 'wh-opq-in-missing-dir', layers: [etc, [file('missing/.wh..wh..opq')]], gives: [...usual, 'missing'] },
  {
    name: 'wh-opq-twice',
    layers: [etc, [file('etc/.wh..wh..opq'), file('etc/a', 'a'), file('etc/.wh..wh..opq')]],
    gives: ['etc', 'etc/a=a'],
  },
  { name: 'wh-same-layer-after', layers: [etc, [file('x', 'new'), file('.wh.x')]], gives: [...usual, 'x=new'] },
  {
    name: 'wh-same-layer-before',
    layers: [[file('x', 'low')], [file('.wh.x'), file('x', 'new')]],
    gives: ['x=new'],
  },
  {
    name: 'wh-dir-children-same-layer',
    layers: [etc, [file('.wh.etc'), file('etc/new', 'new')]],
    gives: ['etc', 'etc/new=new'],
  },
  {
    name: 'wh-dir-children-same-layer-after',
    layers: [etc, [file('etc/new', 'new'), file('.wh.etc')]],
    gives: ['etc', 'etc/new=new'],
  },
  { name: 'wh-missing', layers: [etc, [file('.wh.nothing'), file('no/.wh.where')]], gives: usual },
  {
    name: 'wh-middle-layer-cuts-off',
    layers: [etc, [file('.wh.etc')], [dir('etc'), file('etc/new', 'new')]],
    gives: ['etc', 'etc/new=new'],
  },
  {
    name: 'wh-middle-layer-file-cuts-off',
    layers: [etc, [file('etc', 'file')], [dir('etc')]],
    gives: ['etc'],
  },
  {
    name: 'wh-through-link-in-root',
    layers: [[...etc, link('way', '/etc')], [file('way/.wh.low')]],
    gives: ['etc', 'way->/etc'],
  },
  {
    name: 'wh-through-link-out-of-root',
    layers: [
      [...etc, link('way', '../../outside'), link('abs', '{outside}')],
      [file('way/.wh.secret'), file('abs/.wh.secret')],
    ],
    gives: ['abs->{outside}', ...usual, 'way->../../outside'],
  },
  {
    name: 'wh-through-link-out-of-root-opq',
    layers: [[...etc, link('way', '../outside/dir')], [file('way/.wh..wh..opq')]],
    // A process inside the root sees the link lead to /outside/dir, which the mark creates as a directory.
    gives: [...usual, 'outside', 'outside/dir', 'way->../outside/dir'],
  },
  {
    name: 'wh-through-replaced-link',
    layers: [
      [...etc, link('way', '/etc')],
      [dir('way'), file('way/.wh..wh..opq'), file('way/.wh.low')],
    ],
    gives: [...usual, 'way'],
  },
  { name: 'wh-dead-symlink-parent', layers: [[link('way', '/gone')], [file('way/.wh.x')]], gives: ['way->/gone'] },
  {
    name: 'wh-link-loop-parent',
    layers: [[link('a', 'b'), link('b', 'a')], [file('a/.wh.x')]],
    gives: { code: 'ERR_TOO_MANY_LINKS' },
  },
  { name: 'wh-of-link-itself', layers: [[...etc, link('way', 'etc')], [file('.wh.way')]], gives: usual },
  { name: 'wh-is-directory', layers: [[...etc, file('x', 'low')], [dir('.wh.x')]], gives: usual },
  { name: 'wh-is-symlink', layers: [[...etc, file('x', 'low')], [link('.wh.x', 'etc')]], gives: usual },
  {
    name: 'wh-is-symlink-outside',
    layers: [[...etc, file('x', 'low')], [link('.wh.x', '{outside}/secret')]],
    gives: usual,
  },
  {
    name: 'wh-with-body',
    layers: [
      [...etc, file('x', 'low')],
      [file('.wh.x', 'body'), file('y', 'new')],
    ],
    gives: [...usual, 'y=new'],
  },
  { name: 'wh-aufs-plnk', layers: [etc, [dir('.wh..wh.plnk'), file('.wh..wh.plnk/12.34', 'x')]], gives: usual },
  { name: 'wh-aufs-aufs', layers: [etc, [file('.wh..wh.aufs', 'x'), dir('.wh..wh.orph')]], gives: usual },
  {
    name: 'wh-wh',
    layers: [
      [...etc, file('.wh-not-a-mark', 'x')],
      [file('.wh..wh.low'), file('etc/.wh..wh.etc')],
    ],
    gives: ['.wh-not-a-mark=x', ...usual],
  },
]
