import { Worker } from 'node:worker_threads'

const PIECE = 2 ** 18
const ECHO = `
  const { parentPort } = require('node:worker_threads')
  parentPort.on('message', ({ piece, back }) => parentPort.postMessage(piece, back ? [piece.buffer] : []))`

export const bench = {
  name: 'micro-worker-handover',
  question: 'What does it cost to hand bytes to a worker thread and get the buffers back, by way and by window?',
  async cases({ smoke }) {
    const pieces = smoke ? 16 : 128
    const bytes = pieces * PIECE
    const worker = new Worker(ECHO, { eval: true })
    worker.unref()
    const task = (way, window) => ({
      label: `${way}, ${window} in flight`,
      own: false,
      run: () => handOver(worker, way, window, pieces),
    })
    return [
      {
        name: 'pieces of 256 KiB',
        bytes,
        tasks: [1, 2, 4, 8, 16].flatMap(window => [task('clone', window), task('transfer', window)]),
        after: () => worker.terminate(),
      },
    ]
  },
}

/** Sends pieces with so many on their way at once; the worker sends each back, so that its buffer can be used again. */
function handOver(worker, way, window, pieces) {
  const transfer = way === 'transfer'
  return new Promise((done, fail) => {
    let sent = 0
    let back = 0
    const send = piece => {
      sent++
      worker.postMessage({ piece, back: transfer }, transfer ? [piece.buffer] : [])
    }
    const receive = piece => {
      back++
      if (sent < pieces) send(piece)
      else if (back === pieces) {
        worker.off('message', receive).off('error', fail)
        done()
      }
    }
    worker.on('message', receive).once('error', fail)
    for (let i = 0; i < Math.min(window, pieces); i++) send(new Uint8Array(PIECE))
  })
}
