import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The frame of a program that is measured: one JSON argument in, one line of JSON out. `timed` runs an act and counts
 * as the time of the act itself, without Node's start; without it the whole job counts.
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
  const facts = await job(input, timed)
  process.stdout.write(`${JSON.stringify({ ...facts, actSeconds })}\n`)
}

/** A door of the built library, for instance `index` or `tar/index`. */
export function load(library, door = 'index') {
  return import(pathToFileURL(join(library, `${door}.js`)).href)
}

/** A package of the project, or of another folder with a package.json. */
export function loadPackage(name, from = import.meta.url) {
  return createRequire(from)(name)
}
