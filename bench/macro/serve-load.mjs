import { dockerRegistry, layerstoreServer } from '../contenders/registry-servers.mjs'

const RUN = 'the whole run'
const WASM = 'layerstore serve, wasm'
const NATIVE = 'layerstore serve, native'
const WORKERS = 'layerstore serve, wasm, 2 workers'
const PEER = dockerRegistry.name

const SIZE = {
  connections: 200,
  slowReaders: 500,
  attackers: 20,
  seeds: 50,
  bigPulls: 200,
  smallPulls: 2000,
  pushes: 200,
  besideSlow: 200,
  manifests: 500,
  transfers: 20,
}
const SMOKE = {
  connections: 8,
  slowReaders: 5,
  attackers: 2,
  seeds: 3,
  bigPulls: 8,
  smallPulls: 20,
  pushes: 8,
  besideSlow: 20,
  manifests: 20,
  transfers: 4,
}

export const scenario = {
  name: 'serve-load',
  question: 'What does a registry server take under load, beside docker-registry?',
  async measure(bench) {
    await bench.compare({
      name: RUN,
      columns: ['seconds', 'cpu', 'memory', 'errors', 'descriptors'],
      views: [
        { name: 'what clients get', columns: ['bigSpeed', 'smallRate', 'pushRate', 'besideSlow'] },
        {
          name: 'without and with wrong passwords',
          columns: ['manifestIdle', 'manifestAttacked', 'transferIdle', 'transferAttacked'],
        },
      ],
      plot: 'memory',
      figure: 'act',
      rounds: 2,
      input: { size: bench.smoke ? SMOKE : SIZE },
      entries: [
        { label: WASM, contender: layerstoreServer, options: { hasher: 'wasm' } },
        { label: NATIVE, contender: layerstoreServer, options: { hasher: 'native' } },
        { label: WORKERS, contender: layerstoreServer, options: { hasher: 'wasm', workers: 2 } },
        { contender: dockerRegistry },
      ],
      check: () => {},
    })
  },
  claims: [
    ...[WASM, NATIVE, WORKERS].flatMap(label => [
      { text: `${label}: errors`, of: figure => figure(RUN, label, 'errors'), atMost: 0 },
      { text: `${label}: descriptors left`, of: figure => figure(RUN, label, 'descriptorsLeft'), atMost: 0 },
      {
        text: `${label}: peak memory over docker-registry's`,
        of: figure => figure(RUN, label, 'peakBytes') / figure(RUN, PEER, 'peakBytes'),
        atMost: 0.5,
      },
      {
        text: `${label}: p99 of a manifest under wrong passwords over its idle value`,
        of: figure => figure(RUN, label, 'attackedP99') / figure(RUN, label, 'idleP99'),
        atMost: 2,
      },
    ]),
    ...[
      [WASM, 0.8],
      [WORKERS, 1],
    ].map(([label, atLeast]) => ({
      text: `${label}: 10 MB blobs, speed over docker-registry's`,
      of: figure => figure(RUN, label, 'bigBytesPerSecond') / figure(RUN, PEER, 'bigBytesPerSecond'),
      atLeast,
    })),
  ],
}
