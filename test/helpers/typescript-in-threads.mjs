// Given to Node with --import by the test runner: lets worker threads run lib/*.ts where Node cannot do it by itself.
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

// PERF: in the main thread the test runner compiles, and the hook would start a thread of its own for each test file.
// Node 22 strips types, but knows no `await using`.
if (!isMainThread && (!process.features.typescript || !canUse())) register('./typescript-loader.mjs', import.meta.url)

function canUse() {
  try {
    new Function('return async () => { await using _ = null }')
    return true
  } catch {
    return false
  }
}
