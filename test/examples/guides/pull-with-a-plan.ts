// #region plan
import { readFile, writeFile } from 'node:fs/promises'
import { createRegistryClient, openStore, parsePlan, planPull, runPull } from 'layerstore'

/** Prints what a pull would move and why, and keeps the plan in a file. Moves nothing. */
export async function planOnly(reference: string, directory: string, planFile: string) {
  await using store = await openStore(directory)
  await using registry = createRegistryClient()
  const plan = await planPull(registry, store, reference, { platform: 'linux/amd64' })
  console.table(plan.steps.map(step => ({ kind: step.kind, bytes: step.descriptor.size, need: step.need })))
  console.log(`${plan.bytesToFetch} of ${plan.bytesTotal} bytes to fetch for ${plan.reference}`)
  await writeFile(planFile, JSON.stringify(plan))
}
// #endregion

// #region run
/** Runs a plan from a file, perhaps in another process and on another day. */
export async function runFromFile(planFile: string, directory: string, signal?: AbortSignal) {
  const plan = parsePlan(await readFile(planFile))
  if (plan.kind !== 'pull') throw new Error(`${planFile} is the plan of a ${plan.kind}`)
  await using store = await openStore(directory)
  await using registry = createRegistryClient()
  return await runPull(plan, {
    registry,
    store,
    signal,
    ifChanged: 'fail', // rejects with ERR_PLAN_OUTDATED if the tag has moved; 'adapt' pulls the planned digests
    onProgress: event => {
      if (event.type === 'blob' && event.state === 'done') console.log(`${event.digest}: ${event.size} bytes`)
    },
  })
}
// #endregion
