/** Which rooms each room of lib/ may import. Order = floors, bottom first. Change it only with a dated reason in lib/README.md. */
export const rooms: Record<string, readonly string[]> = {
  errors: [],
  internal: ['errors'],
  digest: ['errors', 'internal'],
  spec: ['errors', 'internal', 'digest'],
  compression: ['errors', 'internal', 'digest'],
  tar: ['errors', 'internal'],
  store: ['errors', 'internal', 'digest', 'spec'],
  registry: ['errors', 'internal', 'digest', 'spec', 'compression'],
  layer: ['errors', 'internal', 'digest', 'spec', 'compression', 'tar', 'store'],
  image: ['errors', 'internal', 'digest', 'spec', 'store'],
  rootfs: ['errors', 'internal', 'digest', 'spec', 'tar', 'store', 'layer', 'image'],
  transfer: ['errors', 'internal', 'digest', 'spec', 'store', 'registry', 'layer', 'image'],
  archive: ['errors', 'internal', 'digest', 'spec', 'compression', 'tar', 'store', 'layer', 'image'],
  server: ['errors', 'internal', 'digest', 'spec', 'store', 'registry', 'image'],
  inspect: ['errors', 'internal', 'digest', 'spec', 'store', 'layer', 'image', 'rootfs'],
  build: ['errors', 'internal', 'digest', 'spec', 'tar', 'store', 'layer', 'image', 'rootfs'],
  cli: [
    'errors',
    'internal',
    'digest',
    'spec',
    'store',
    'registry',
    'layer',
    'image',
    'rootfs',
    'transfer',
    'archive',
    'server',
    'inspect',
    'build',
  ],
}

/** Rooms beside the floors: they may import the listed rooms, and no room may import them. */
export const side: Record<string, readonly string[]> = {
  testing: ['errors', 'internal', 'digest', 'spec', 'tar', 'store', 'registry', 'layer', 'image', 'server'],
}

/** Packages and builtins that may be imported from these rooms only. */
export const confined: Record<string, readonly string[]> = {
  'hash-wasm': ['digest'],
  'tar-stream': ['tar'],
  'node:zlib': ['compression'],
  'node:worker_threads': ['digest', 'compression', 'layer', 'rootfs'],
  'node:http': ['registry', 'server', 'testing'],
  'node:https': ['registry', 'server', 'testing'],
  'node:child_process': ['registry', 'rootfs', 'build'],
  commander: ['cli'],
}
