import { type Attack, directory, file, hardLink, symlink } from './attack.ts'

/** Devices and FIFOs. The only device that the tests create is the null device. */
export const deviceAttacks: readonly Attack[] = [
  {
    name: 'dev-character',
    layers: () => [[{ path: 'null', type: '3', major: 1, minor: 3, mode: 0o666 }]],
    tree: () => ({ null: 'device@666' }),
    needsRoot: true,
  },
  {
    name: 'dev-skip',
    layers: () => [
      [file('null'), file('f')],
      [
        { path: 'null', type: '3', major: 1, minor: 3 },
        { path: 'f', type: '6' },
      ],
    ],
    options: { devices: 'skip' },
    tree: () => ({}),
    skipped: ['device null', 'fifo f'],
  },
  {
    name: 'dev-refuse',
    layers: () => [[{ path: 'null', type: '4', major: 1, minor: 3 }]],
    options: { devices: 'error' },
    refused: 'ERR_UNSUPPORTED_ENTRY',
  },
  {
    name: 'dev-without-root',
    layers: () => [[{ path: 'disk', type: '4', major: 8, minor: 0 }]],
    options: { rootless: true },
    tree: () => ({}),
    skipped: ['device disk'],
  },
  {
    name: 'dev-zero-zero',
    layers: () => [[file('x')], [{ path: 'x', type: '3', major: 0, minor: 0 }]],
    tree: () => ({}),
    skipped: ['device x'],
  },
  {
    name: 'dev-zero-zero-create',
    layers: () => [[{ path: 'x', type: '3', major: 0, minor: 0 }]],
    options: { devices: 'create' },
    refused: 'ERR_UNSUPPORTED_ENTRY',
  },
  {
    name: 'dev-major-out-of-range',
    layers: () => [[{ path: 'x', type: '3', major: 0o7777777, minor: 3 }]],
    tree: () => ({}),
    skipped: ['device x'],
  },
  {
    name: 'dev-fifo-then-file',
    layers: () => [[{ path: 'f', type: '6', mode: 0o600 }], [file('f')]],
    tree: () => ({ f: 'file:new' }),
  },
  { name: 'dev-fifo', layers: () => [[{ path: 'f', type: '6', mode: 0o620 }]], tree: () => ({ f: 'fifo@620' }) },
  {
    name: 'dev-as-parent',
    layers: () => [[{ path: 'f', type: '6' }, file('f/x')]],
    refused: 'ERR_NOT_A_DIRECTORY',
  },
  {
    name: 'dev-under-link',
    layers: ({ outside }) => [[symlink('l', outside), { path: 'l/secret', type: '6' }]],
    tree: ({ outside }) => ({ l: `link:${outside}`, [`${outside.slice(1)}/secret`]: 'fifo' }),
  },
]

/** Modes, owners and times. */
export const modeAttacks: readonly Attack[] = [
  {
    name: 'mode-setuid',
    layers: () => [[file('f', 'x', { mode: 0o6755, uid: 1234, gid: 1235 })]],
    tree: () => ({ f: 'file:x@6755' }),
    needsRoot: true,
  },
  {
    name: 'mode-setuid-rootless',
    layers: () => [[file('f', 'x', { mode: 0o6755 }), directory('d', { mode: 0o2775 })]],
    options: { rootless: true },
    tree: () => ({ f: 'file:x@755', d: 'dir@775' }),
    skipped: ['mode f', 'mode d'],
    needsRoot: true,
  },
  {
    name: 'mode-setuid-kept',
    layers: () => [[file('f', 'x', { mode: 0o4711 })]],
    options: { rootless: true, keepSetId: true },
    tree: () => ({ f: 'file:x@4711' }),
    needsRoot: true,
  },
  {
    name: 'mode-over-07777',
    layers: () => [[file('f', 'x', { mode: 0o100755 })]],
    tree: () => ({ f: 'file:x@755' }),
  },
  {
    name: 'mode-directory-000',
    layers: () => [[directory('d', { mode: 0 }), file('d/x'), directory('d/e', { mode: 0 })], [file('d/e/y')]],
    tree: () => ({ d: 'dir@0', 'd/x': 'file:new', 'd/e': 'dir@0', 'd/e/y': 'file:new' }),
    needsRoot: true,
  },
  {
    name: 'mode-sticky',
    layers: () => [[directory('tmp', { mode: 0o1777 })]],
    tree: () => ({ tmp: 'dir@1777' }),
  },
  { name: 'mode-owner-4294967295', layers: () => [[file('f', 'x', { uid: 0xffff_ffff })]], refused: 'ERR_INVALID_TAR' },
  { name: 'mode-group-4294967295', layers: () => [[directory('f', { gid: 0xffff_ffff })]], refused: 'ERR_INVALID_TAR' },
  {
    name: 'mode-owner-4294967294',
    layers: () => [[file('f', 'x', { uid: 0xffff_fffe, gid: 0xffff_fffe })]],
    tree: () => ({ f: 'file:x' }),
    needsRoot: true,
  },
  {
    name: 'mode-time-before-1970',
    layers: () => [[file('f', 'x', { mtime: -5 }), symlink('l', 'f', { mtime: -5 }), directory('d', { mtime: -5 })]],
    tree: () => ({ f: 'file:x', l: 'link:f', d: 'dir' }),
    skipped: ['mtime f', 'mtime l', 'mtime d'],
  },
  {
    name: 'mode-time-too-late',
    layers: () => [[file('f', 'x', { mtime: 99_999_999_999 })]],
    tree: () => ({ f: 'file:x' }),
    skipped: ['mtime f'],
  },
]

/**
 * Extended attributes that no system sets. Names of no namespace, values above 64 KiB and attributes of links are
 * refused by the system, names of overlayfs by this library.
 */
export const xattrAttacks: readonly Attack[] = [
  {
    name: 'xattr-overlay',
    layers: () => [[directory('d', { pax: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc' } })]],
    tree: () => ({ d: 'dir' }),
    skipped: ['xattr d'],
  },
  {
    name: 'xattr-prototype',
    layers: () => [
      [
        file('f', 'x', {
          pax: { 'SCHILY.xattr.__proto__': 'x', 'SCHILY.xattr.constructor': Buffer.from([0, 255, 0]) },
        }),
      ],
    ],
    tree: () => ({ f: 'file:x' }),
    skipped: ['xattr f', 'xattr f'],
  },
  {
    name: 'xattr-on-link',
    layers: ({ outside }) => [[symlink('l', `${outside}/secret`, { pax: { 'SCHILY.xattr.user.a': 'b' } })]],
    tree: ({ outside }) => ({ l: `link:${outside}/secret` }),
    skipped: ['xattr l'],
  },
  {
    name: 'xattr-huge',
    layers: () => [[file('f', 'x', { pax: { 'SCHILY.xattr.user.a': Buffer.alloc(70_000, 1) } })]],
    tree: () => ({ f: 'file:x' }),
    skipped: ['xattr f'],
  },
]

/** Duplicate paths in a layer, and entries that replace another kind of entry. */
export const duplicateAttacks: readonly Attack[] = [
  {
    name: 'dup-file',
    layers: () => [[file('f', 'one'), file('f', 'two')]],
    tree: () => ({ f: 'file:two' }),
    skipped: ['duplicate f'],
  },
  {
    name: 'dup-directory',
    layers: () => [[directory('d', { mode: 0o777 }), file('d/x'), directory('d', { mode: 0o711 })]],
    tree: () => ({ d: 'dir@711', 'd/x': 'file:new' }),
    skipped: ['duplicate d'],
  },
  {
    name: 'dup-file-then-directory',
    layers: () => [[file('p'), directory('p'), file('p/x')]],
    tree: () => ({ p: 'dir', 'p/x': 'file:new' }),
    skipped: ['duplicate p'],
  },
  {
    name: 'dup-directory-then-file',
    layers: () => [[directory('p'), file('p/x'), directory('p/q/r'), file('p')]],
    tree: () => ({ p: 'file:new' }),
    skipped: ['duplicate p'],
  },
  {
    name: 'dup-kinds-across-layers',
    layers: () => [
      [directory('p/q'), file('f'), symlink('l', 'f'), file('k')],
      [file('p'), directory('f'), file('f/x'), { path: 'l', type: '6', mode: 0o600 }, symlink('k', 'p')],
    ],
    tree: () => ({ p: 'file:new', f: 'dir', 'f/x': 'file:new', l: 'fifo', k: 'link:p' }),
  },
  { name: 'dup-file-as-parent', layers: () => [[file('p'), file('p/x')]], refused: 'ERR_NOT_A_DIRECTORY' },
  {
    name: 'dup-case',
    layers: () => [[file('name', 'one'), file('NAME', 'two'), directory('Dir'), directory('dIR')]],
    tree: () => ({ name: 'file:one', NAME: 'file:two', Dir: 'dir', dIR: 'dir' }),
  },
  {
    name: 'dup-hard-link',
    layers: () => [[file('a', 'one'), file('b', 'two'), hardLink('c', 'a'), hardLink('c', 'b')]],
    tree: () => ({ a: 'file:one', b: 'file:two', c: 'file:two' }),
    skipped: ['duplicate c'],
  },
]
