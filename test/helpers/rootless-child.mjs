// Builds a Dockerfile with RUN as the user of this process: `node rootless-child.mjs JOB.json`. Prints lines of JSON:
// the output of steps, then the result or the error.
import { readFileSync } from 'node:fs'
import { buildImage, composeImage, fromDirectory, openStore, writeLayer } from 'layerstore'
import { dockerfileStages } from '../../lib/build/index.ts'
import { fromFiles } from '../../lib/layer/index.ts'
import { collectSnapshots, listSnapshots, machineSandbox, snapshotDirectory } from '../../lib/sandbox/index.ts'

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const print = value => process.stdout.write(`${JSON.stringify(value)}\n`)
const stop = new AbortController()
process.on('SIGINT', () => stop.abort(new Error('interrupted')))

async function main() {
  await using store = await openStore(job.store)
  const layers = [await writeLayer(store, fromDirectory(job.root))]
  for (const entries of job.layers ?? []) layers.push(await writeLayer(store, fromFiles(entries)))
  const base = await composeImage(store, { layers, config: { Env: ['PATH=/bin'] } })
  await store.references.set('base:1', base.descriptor)
  await using sandbox = machineSandbox({ directory: `${job.store}-snapshots`, executor: job.executor })
  const { executor, snapshots } = sandbox
  const { works, reason, note } = await executor.probe()
  print({ works, reason, note })
  const result = await buildImage(store, dockerfileStages(job.dockerfile), {
    ...job.options,
    context: { files: job.files ?? {} },
    executor,
    snapshots,
    signal: stop.signal,
    onProgress(event) {
      if (event.kind === 'step-output') print({ output: Buffer.from(event.chunk).toString('utf8') })
    },
  })
  const [image] = result.images
  const own = image.layers.slice(layers.length)
  // What stays in the store besides is the business of other tests.
  const entries = []
  const { readLayer } = await import('layerstore')
  for (const layer of own) {
    for await (const { path, type, mode, uid, gid, linkname } of readLayer(store, layer.descriptor, {
      diffId: layer.diffId,
    }))
      entries.push(`${path} ${type} ${mode.toString(8)} ${uid}:${gid}${linkname ? ` ${linkname}` : ''}`)
  }
  print({ digest: result.descriptor.digest, entries })
  if (job.collect) {
    const directory = snapshotDirectory(`${job.store}-snapshots`)
    const policy = { maxBytes: 0, remove: path => sandbox.remove(path) }
    const { dropped } = await collectSnapshots(directory, policy)
    print({ dropped: dropped.length, kept: (await listSnapshots(directory)).length })
  }
  if (job.remove) await sandbox.remove(`${job.store}-snapshots`)
}

main().catch(error => {
  print({ error: { code: error.code, message: error.message } })
  process.exitCode = 1
})
