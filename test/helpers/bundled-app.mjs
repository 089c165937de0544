// What test/journeys/bundled.test.ts bundles and runs: an image of a directory, unpacked again, reported on, and
// a password checked.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { composeImage, createMemoryStore, fromDirectory, unpackImage, writeLayer } from 'layerstore'
import { htmlReport } from 'layerstore/inspect'
import { allowHtpasswd } from 'layerstore/server'

const seen = { threads: 0, answered: new Set(), failed: [], warnings: [] }
process.on('warning', ({ code, message }) => seen.warnings.push(code ?? message))
process.on('worker', thread => {
  seen.threads++
  thread.on('error', error => seen.failed.push(error.message))
  // Of the hash thread, which nothing else tells from the calling thread: the slots that it has hashed.
  thread.on('message', message => {
    if (message?.type) seen.answered.add(message.type)
  })
})

async function main(directory) {
  const source = join(directory, 'source')
  mkdirSync(source, { recursive: true })
  for (let i = 0; i < 300; i++) writeFileSync(join(source, `file-${i}`), 'x'.repeat(1000 + i))
  writeFileSync(join(source, 'large'), Buffer.alloc(32 << 20, 'layerstore'))
  const store = createMemoryStore()
  const layer = await writeLayer(store, fromDirectory(source, { at: '/app' }), { compression: 'none' })
  const image = await composeImage(store, { layers: [layer], config: { Cmd: ['true'] } })
  const { files } = await unpackImage(store, image, join(directory, 'root'))
  // Of `hunter2`, made by `htpasswd -B`.
  const authorize = allowHtpasswd('ann:$2y$05$Ad1LUlOTkC63mhty4f0p4e1vGqriLPU7LoM70zb4ht5OyhfqSXffq\n')
  const right = await authorize({ username: 'ann', password: 'hunter2', action: 'pull', repository: 'a' })
  const page = await htmlReport([{ store, image: image.descriptor }])
  const { answered, ...others } = seen
  return {
    digest: image.descriptor.digest,
    diffId: layer.diffId,
    files,
    right,
    hasPageCode: page.includes('Skip to the content') && page.includes('--accent'),
    ...others,
    hashed: answered.has('free'),
  }
}

main(isMainThread ? process.argv[2] : workerData).then(
  result => tell(JSON.stringify(result)),
  error => tell(JSON.stringify({ error: String(error?.stack ?? error) })),
)

function tell(text) {
  if (isMainThread) process.stdout.write(text, () => process.exit())
  else parentPort.postMessage(text)
}
