import { join } from 'node:path'
import { measureCommand } from '../harness/measure/measure-command.mjs'
import { pinned } from '../harness/measure/pinned.mjs'

/** Runs a program of `jobs/` in a fresh Node process; resolves to the measurements and its report. */
export async function runJob(name, input) {
  const program = join(import.meta.dirname, 'jobs', `${name}.mjs`)
  const { stdout, ...measured } = await measureCommand([
    ...pinned(input),
    process.execPath,
    program,
    JSON.stringify(input),
  ])
  const { actSeconds, ...facts } = JSON.parse(stdout)
  return { ...measured, ...facts, ...(actSeconds === undefined ? {} : { actSeconds }) }
}
