/**
 * The rooms that each room of lib/ may import, in floor order, lowest first. Change them only with a dated reason in
 * lib/README.md.
 */
const base = ['errors', 'internal', 'digest', 'oci'] as const

export const rooms: Record<string, readonly string[]> = {
  errors: [],
  internal: ['errors'],
  digest: ['errors', 'internal'],
  oci: ['errors', 'internal', 'digest'],
  compression: ['errors', 'internal', 'digest'],
  tar: ['errors', 'internal'],
  dockerfile: base,
  store: base,
  registry: [...base, 'compression'],
  'disk-store': [...base, 'store'],
  'object-store': [...base, 'store'],
  maintenance: [...base, 'store'],
  layer: [...base, 'compression', 'tar', 'store'],
  image: [...base, 'compression', 'store'],
  rootfs: [...base, 'tar', 'store', 'layer', 'image'],
  transfer: [...base, 'store', 'registry', 'maintenance', 'layer', 'image'],
  archive: [...base, 'compression', 'tar', 'store', 'layer', 'image'],
  server: [...base, 'store', 'registry', 'image'],
  sandbox: [...base, 'tar', 'dockerfile', 'store', 'layer', 'image', 'rootfs'],
  inspect: [...base, 'compression', 'store', 'layer', 'image', 'rootfs'],
  trust: [...base, 'compression', 'store', 'registry', 'image', 'rootfs', 'transfer'],
  build: [
    ...base,
    'compression',
    'tar',
    'dockerfile',
    'store',
    'registry',
    'disk-store',
    'layer',
    'image',
    'rootfs',
    'transfer',
    'archive',
    'sandbox',
    'trust',
  ],
  cli: [
    ...base,
    'compression',
    'dockerfile',
    'store',
    'registry',
    'disk-store',
    'object-store',
    'maintenance',
    'layer',
    'image',
    'rootfs',
    'transfer',
    'archive',
    'server',
    'sandbox',
    'inspect',
    'trust',
    'build',
  ],
}

/** Rooms beside the floors: they may import the listed rooms, and no room may import them. */
export const side: Record<string, readonly string[]> = {
  testing: [...base, 'tar', 'store', 'registry', 'disk-store', 'maintenance', 'layer', 'image', 'server', 'sandbox'],
}

/** Packages and builtins that may be imported from these rooms only. */
export const confined: Record<string, readonly string[]> = {
  'hash-wasm': ['digest'],
  'tar-stream': ['tar'],
  'node:zlib': ['compression'],
  'node:worker_threads': ['digest', 'compression', 'registry', 'layer', 'rootfs', 'build'],
  'node:cluster': ['server', 'cli'],
  'node:http': ['registry', 'object-store', 'server', 'build', 'testing'],
  'node:https': ['registry', 'object-store', 'server', 'build', 'testing'],
  'node:child_process': ['registry', 'rootfs', 'sandbox', 'build'],
  commander: ['cli'],
}
