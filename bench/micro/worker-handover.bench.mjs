import { createHash } from 'node:crypto'
import { closeSync, openSync, unlinkSync, write } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'

const writeAsync = promisify(write)
const WINDOW = 4

// Answers when a piece is done: ignores it, hashes it, or hashes and writes it.
const THREAD = `
  const { parentPort } = require('node:worker_threads')
  const { createHash } = require('node:crypto')
  const { writeSync } = require('node:fs')
  const hash = createHash('sha256')
  let ring
  parentPort.on('message', ({ piece, slot, size, shared, act, file, at }) => {
    if (shared) return void (ring = Buffer.from(shared))
    const bytes = piece ?? ring.subarray(slot * size, (slot + 1) * size)
    if (act !== 'nothing') hash.update(bytes)
    if (act === 'hash and write') writeSync(file, bytes, 0, bytes.length, at)
    if (piece) parentPort.postMessage(piece, act === 'clone' ? [] : [piece.buffer])
    else parentPort.postMessage(slot)
  })`

export const bench = {
  name: 'micro-worker-handover',
  question:
    'What does it cost to hand bytes to a thread, by method, by size of the piece, and if the thread also writes them?',
  async cases({ smoke, scratch }) {
    const bytes = smoke ? 2 ** 22 : 2 ** 26
    const thread = new Worker(THREAD, { eval: true })
    thread.unref()
    const source = Buffer.alloc(2 ** 20, 'something to be handed over ')
    const sizes = [2 ** 16, 2 ** 18, 2 ** 19, 2 ** 20]
    const task = (way, size, act, file) => ({
      label: `${way}, pieces of ${size / 1024} KiB`,
      own: false,
      run: () => WAYS[way]({ thread, source, size, count: bytes / size, act, file }),
    })
    const path = join(scratch, 'handed-over')
    const file = openSync(path, 'w')
    const writing = (label, run) => ({
      label,
      own: false,
      run: () => run({ thread, source, size: 2 ** 19, bytes, file }),
    })
    return [
      {
        name: `the thread ignores the bytes, ${WINDOW} pieces in flight`,
        bytes,
        tasks: sizes.flatMap(size => Object.keys(WAYS).map(way => task(way, size, 'nothing'))),
      },
      {
        name: 'hashed by OpenSSL and written to a file',
        bytes,
        tasks: [
          writing("shared ring; Node's pool writes", hashThereWriteHere),
          writing('transferred; the thread writes too', hashAndWriteThere),
          writing("no thread; Node's pool writes", hashHere),
        ],
        after: async () => {
          await thread.terminate()
          closeSync(file)
          unlinkSync(path)
        },
      },
    ]
  },
}

const WAYS = {
  clone: options => handOver({ ...options, transfer: false }),
  transfer: options => handOver({ ...options, transfer: true }),
  ring: fillRing,
}

/** Fills pieces here, sends them, and fills them again when they return. */
function handOver({ thread, source, size, count, act, file, transfer }) {
  let at = 0
  const fill = piece => {
    piece.set(source.subarray(0, size))
    const message = { piece, act: transfer ? act : 'clone', file, at }
    at += size
    thread.postMessage(message, transfer ? [piece.buffer] : [])
  }
  return exchange(thread, count, i => (i instanceof Uint8Array ? fill(i) : fill(new Uint8Array(size))))
}

/** Fills slots of shared memory here; messages contain the slot numbers. */
function fillRing({ thread, source, size, count, act }) {
  const shared = new SharedArrayBuffer(size * WINDOW)
  const ring = new Uint8Array(shared)
  thread.postMessage({ shared })
  return exchange(thread, count, slot => {
    ring.set(source.subarray(0, size), slot * size)
    thread.postMessage({ slot, size, act })
  })
}

/** Sends `count` pieces, a limited number at once; passes each answer to the next `send`. */
function exchange(thread, count, send) {
  return new Promise((done, fail) => {
    let sent = 0
    let back = 0
    const receive = free => {
      back++
      if (sent < count) {
        sent++
        send(free)
      } else if (back === count) {
        thread.off('message', receive).off('error', fail)
        done()
      }
    }
    thread.on('message', receive).once('error', fail)
    for (; sent < Math.min(WINDOW, count); sent++) send(sent)
  })
}

async function hashThereWriteHere({ thread, source, size, bytes, file }) {
  const hashing = fillRing({ thread, source, size, count: bytes / size, act: 'hash' })
  await writeAll({ source, size, bytes, file })
  await hashing
}

function hashAndWriteThere({ thread, source, size, bytes, file }) {
  return handOver({ thread, source, size, count: bytes / size, act: 'hash and write', file, transfer: true })
}

async function hashHere({ source, size, bytes, file }) {
  const hash = createHash('sha256')
  await writeAll({ source, size, bytes, file, each: piece => hash.update(piece) })
}

async function writeAll({ source, size, bytes, file, each = () => {} }) {
  const piece = source.subarray(0, size)
  for (let at = 0; at < bytes; at += size) {
    const writing = writeAsync(file, piece, 0, size, at)
    each(piece)
    await writing
  }
}
