/**
 * The code of a hash worker, as text. A worker needs a file that Node can load by itself; text works alike in the built
 * package, in bundles of any bundler and in tests that run the TypeScript sources. The code of hash-wasm comes as text
 * too, see `hash-wasm-code.ts`.
 *
 * Chunks come through a ring of slots in shared memory, one ring for each stream; messages only say which slot is full.
 */
export const HASH_WORKER_SOURCE = `
'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { createHash } = require('node:crypto')
const { compileFunction } = require('node:vm')
const streams = new Map()
const loaded = new Map()

function loadWasm(algorithm) {
  if (!loaded.has(algorithm)) {
    const { code, creator } = workerData[algorithm]
    const module = { exports: {} }
    compileFunction(code, ['module', 'exports']).call(undefined, module, module.exports)
    loaded.set(algorithm, module.exports[creator])
  }
  return loaded.get(algorithm)
}

async function openHash({ algorithm, engine, state }) {
  if (engine === 'native') {
    const hash = createHash(algorithm)
    return { update: bytes => hash.update(bytes), hex: () => hash.digest('hex') }
  }
  const hasher = await loadWasm(algorithm)()
  if (state) hasher.load(state)
  else hasher.init()
  return { update: bytes => hasher.update(bytes), hex: () => hasher.digest('hex'), save: () => hasher.save() }
}

const acts = {
  open: message => {
    const { slotBytes, freeTogether, sent } = message
    const ring = new Uint8Array(message.ring)
    const ready = openHash(message)
    // Whoever awaits it is told; until somebody does, it must not end the thread and every other stream with it.
    ready.catch(() => {})
    streams.set(message.id, { ring, slotBytes, freeTogether, sent, ready, hashed: 0, free: [] })
  },
  chunk: async ({ id, slot, length }, stream) => {
    const hash = await stream.ready
    const start = slot * stream.slotBytes
    hash.update(stream.ring.subarray(start, start + length))
    stream.hashed = (stream.hashed + 1) | 0
    stream.free.push(slot)
    // PERF: a message wakes the calling thread, which then often takes this processor: several slots share one.
    // SAFETY: whoever waits for a slot has sent all it had, so the last of them is always told.
    if (stream.free.length < stream.freeTogether && stream.hashed !== Atomics.load(stream.sent, 0)) return
    parentPort.postMessage({ id, type: 'free', slots: stream.free.splice(0) })
  },
  save: async ({ id }, stream) => parentPort.postMessage({ id, type: 'state', state: (await stream.ready).save() }),
  digest: async ({ id }, stream) => {
    const hex = (await stream.ready).hex()
    streams.delete(id)
    parentPort.postMessage({ id, type: 'hex', hex })
  },
  drop: ({ id }) => streams.delete(id),
}

// One stream's messages are worked on in order; those of different streams take turns.
parentPort.on('message', message => {
  const stream = streams.get(message.id)
  if (message.type !== 'open' && !stream) return
  const fail = error => parentPort.postMessage({ id: message.id, type: 'failed', message: String(error && error.message) })
  if (message.type === 'open' || message.type === 'drop') return void acts[message.type](message)
  stream.last = (stream.last || Promise.resolve()).then(() => acts[message.type](message, stream)).catch(fail)
})

// Loads and compiles what nearly every stream needs, so that the first one does not wait for it.
const ready = () => parentPort.postMessage({ id: 0, type: 'ready' })
Promise.resolve().then(() => loadWasm('sha256')()).then(ready, ready)
`
