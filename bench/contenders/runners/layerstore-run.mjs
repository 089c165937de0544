import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../../harness/measure/measure-command.mjs'
import { BASE, IMAGE } from './names.mjs'

/** This library's command line, a process for each build. The base is in the store. */
export const layerstoreRun = {
  name: 'layerstore build',
  own: true,
  available: () => undefined,
  version: () => `Node ${process.version}`,
  builder({ state, library, baseTar }) {
    const words = [process.execPath, join(library, 'cli', 'main.js'), '--store', state]
    const now = (...more) => execFileSync(words[0], [...words.slice(1), ...more], { encoding: 'utf8' })
    if (!existsSync(state)) now('import', baseTar, '-t', BASE)
    return {
      build: context => measureCommand([...words, 'build', context, '-t', IMAGE, '--no-cache', '--quiet']),
      read: path => now('cat', IMAGE, path),
    }
  },
}
