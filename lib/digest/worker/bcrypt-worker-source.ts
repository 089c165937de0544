/** The code of the bcrypt worker, as text for the reasons given in `hash-worker-source.ts`. */
export const BCRYPT_WORKER_SOURCE = `
'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { setPriority } = require('node:os')

// Linux: the number 0 means the calling thread there, and the whole process elsewhere.
if (process.platform === 'linux') {
  try {
    setPriority(0, workerData.nice)
  } catch {
    // A sandbox that forbids it costs the other threads some processor time.
  }
}

const { bcryptVerify } = require(workerData.module)
let last = Promise.resolve()
parentPort.on('message', ({ id, password, hash }) => {
  last = last
    .then(() => bcryptVerify({ password, hash }))
    .then(
      isRight => parentPort.postMessage({ id, isRight }),
      error => parentPort.postMessage({ id, message: String(error && error.message) }),
    )
})
`
