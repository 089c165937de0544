import { createRequire } from 'node:module'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'

const DELAY_STEP_MS = 2

/**
 * The frame of a program that is measured: one JSON argument in, one line of JSON out. `timed` runs an act and counts
 * as the time of the act itself, without Node's start; without it the whole job counts. The 99th percentile of the
 * delay of the event loop is that of the whole job.
 */
export async function report(job) {
  const input = JSON.parse(process.argv[2])
  let actSeconds
  const timed = async act => {
    const start = performance.now()
    const result = await act()
    actSeconds = (performance.now() - start) / 1000
    return result
  }
  const delay = monitorEventLoopDelay({ resolution: DELAY_STEP_MS })
  delay.enable()
  const facts = await job(input, timed)
  delay.disable()
  // The monitor counts its own step as delay.
  const loopP99 = Math.max(0, delay.percentile(99) / 1e6 - DELAY_STEP_MS)
  process.stdout.write(`${JSON.stringify({ ...facts, actSeconds, loopP99 })}\n`)
}

/** A door of the built library, for instance `index` or `tar/index`. */
export function load(library, door = 'index') {
  return import(pathToFileURL(join(library, `${door}.js`)).href)
}

/** A package of the project, or of another folder with a package.json. */
export function loadPackage(name, from = import.meta.url) {
  return createRequire(from)(name)
}
