import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bareNode } from '../contenders/bare-node.mjs'

const CASE = 'a process that imports and ends'

export const scenario = {
  name: 'import-time',
  question: 'What does importing the library cost over bare Node?',
  async measure(bench) {
    await bench.compare({
      name: CASE,
      job: 'import',
      rounds: 15,
      columns: ['milliseconds', 'cpu', 'memory'],
      plot: 'milliseconds',
      input: {},
      entries: [
        { label: 'bare Node', contender: bareNode },
        ...['digest/index', 'oci/index', 'disk-store/index', 'registry/index', 'index'].map(door => ({
          label: door === 'index' ? 'layerstore' : `layerstore/${door.split('/')[0]}`,
          contender: { ...bareNode, own: true, available: absentDoor },
          options: { door },
        })),
      ],
      check: ({ names }, { door }) => {
        if (door ? names === 0 : names !== 0) throw new Error(`${door} exports ${names} names`)
      },
    })
  },
}

/** Another commit may not have the door, or not under this name. */
function absentDoor({ library, options: { door } }) {
  return existsSync(join(library, `${door}.js`)) ? undefined : `this build has no door ${door}`
}
