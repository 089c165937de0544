/** The code of the bcrypt worker, as text for the reasons given in `hash-worker-source.ts`. */
export const BCRYPT_WORKER_SOURCE = `
'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { setPriority } = require('node:os')
const { compileFunction } = require('node:vm')

// Linux: the number 0 means the calling thread there, and the whole process elsewhere.
if (process.platform === 'linux') {
  try {
    setPriority(0, workerData.nice)
  } catch {
    // A sandbox that forbids it costs the other threads some processor time.
  }
}

const module_ = { exports: {} }
compileFunction(workerData.code, ['module', 'exports']).call(undefined, module_, module_.exports)
const { bcryptVerify } = module_.exports
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
