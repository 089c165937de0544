import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenObjectStoreOptions } from '../../lib/object-store/index.ts'
import { transpileLibrary } from './transpile-library.ts'

/** Sets its names at once to images of its own, and one name of all processes by compare-and-swap. */
const CHILD = `
import { openObjectStore } from './object-store/index.js'
const [place, me, count] = process.argv.slice(2)
const type = kind => 'application/vnd.oci.image.' + kind
await using store = await openObjectStore(JSON.parse(place))
const put = async (mediaType, text) => ({ mediaType, ...(await store.put(Buffer.from(text))) })
const layer = await put(type('layer.v1.tar'), 'layer ' + me)
const config = await put(type('config.v1+json'), JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.digest] } }))
const root = await put(type('manifest.v1+json'), JSON.stringify({ schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [layer] }))
const names = Array.from({ length: Number(count) }, (_, i) => 'p' + me + ':' + i)
await Promise.all(names.map(name => store.references.set(name, root, { expected: null })))
let won = 0
for (let turns = 0; turns < 5; turns++) {
  const before = await store.references.get('all:1')
  try {
    await store.references.set('all:1', { ...root, annotations: { turn: me + ' ' + turns } }, { expected: before?.digest ?? null })
    won++
  } catch (error) {
    if (error.code !== 'ERR_REFERENCE_CONFLICT') throw error
  }
}
console.log(won)
`

/** Runs processes that each set so many names at once. Rejects if one fails. */
export async function setNamesInProcesses(
  place: OpenObjectStoreOptions,
  processes: number,
  names: number,
): Promise<void> {
  const library = transpileLibrary()
  const script = join(library, 'set-names.mjs')
  writeFileSync(script, CHILD.replace(/^await using (\w+) = (.*)$/m, 'const $1 = $2').concat('await store.close()\n'))
  await Promise.all(
    Array.from({ length: processes }, async (_, me) => {
      const args = [script, JSON.stringify(place), String(me), String(names)]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      let errors = ''
      child.stderr.on('data', chunk => {
        errors += chunk
      })
      const [code] = await once(child, 'close')
      if (code !== 0) throw new Error(`process ${me} ended with ${code}: ${errors}`)
    }),
  )
}
