// The bare loop: synchronous reads of 1 MiB, nothing but the hash; one thread, or with `threads` one for each file.
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { loadPackage, report } from './report.mjs'

if (isMainThread) {
  await report(async ({ engine, files, threads }, timed) => {
    if (threads) return { outcome: { digests: await inThreads(engine, files, timed) } }
    const hash = await loopOf(engine)
    await timed(() => {}) // so that the first file does not pay for loading
    return { outcome: { digests: await timed(() => files.map(hash)) } }
  })
} else {
  const hash = await loopOf(workerData)
  parentPort.on('message', file => parentPort.postMessage(hash(file)))
  parentPort.postMessage('ready')
}

/** Starts the threads before the time is measured. */
async function inThreads(engine, files, timed) {
  const threads = files.map(() => new Worker(new URL(import.meta.url), { workerData: engine }))
  const answer = thread => new Promise((done, fail) => thread.once('message', done).once('error', fail))
  await Promise.all(threads.map(answer))
  const digests = await timed(() => {
    const answers = threads.map(answer)
    for (const [i, thread] of threads.entries()) thread.postMessage(files[i])
    return Promise.all(answers)
  })
  await Promise.all(threads.map(thread => thread.terminate()))
  return digests
}

async function loopOf(engine) {
  const create = engine === 'native' ? () => createHash('sha256') : await wasm()
  return file => `sha256:${hashFile(file, create())}`
}

async function wasm() {
  const hasher = await loadPackage('hash-wasm').createSHA256()
  return () => hasher.init()
}

function hashFile(path, hash) {
  const buffer = Buffer.allocUnsafe(2 ** 20)
  const file = openSync(path)
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) hash.update(buffer.subarray(0, read))
  closeSync(file)
  return hash.digest('hex')
}
