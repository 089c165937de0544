// Vitest passes this file to Node with --import: it lets worker threads run lib/*.ts where Node cannot do it by itself.
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

// PERF: Vitest compiles for the main thread, where the hook would start another thread for each test file. Node 22
// strips types, but does not support `await using`.
if (!isMainThread && (!process.features.typescript || !canUse())) register('./typescript-loader.mjs', import.meta.url)

function canUse() {
  try {
    new Function('return async () => { await using _ = null }')
    return true
  } catch {
    return false
  }
}
