// #region collect
import {
  checkStore,
  createRegistryClient,
  openStore,
  planCollection,
  readStoreUsage,
  repairFromKnownRegistries,
  repairFromRegistry,
  repairStore,
  runCollection,
} from 'layerstore'

/** Keeps the latest images of each repository and removes what they do not need. */
export async function collect(directory: string, keepLast: number) {
  await using store = await openStore(directory)
  const { total, reclaimable } = await readStoreUsage(store)
  console.log(`${total.bytes} bytes, of which a collection frees ${reclaimable.bytes} without dropping names`)
  const plan = await planCollection(store, { keepLast })
  for (const { name, why } of plan.dropNames) console.log(`drop ${name}: ${why}`)
  for (const { digest, why } of plan.drop) console.log(`remove ${digest}: ${why}`)
  return await runCollection(store, plan)
}
// #endregion

// #region repair
/** Reads every blob, and fetches again only those that are missing or damaged. */
export async function checkAndRepair(directory: string, repository: string) {
  await using store = await openStore(directory, { damaged: 'open' })
  const report = await checkStore(store)
  for (const problem of report.problems) console.log(`${problem.class} ${problem.path}: ${problem.reason}`)
  if (report.sound) return []
  await using registry = createRegistryClient()
  const sources = [repairFromKnownRegistries(registry, store), repairFromRegistry(registry, repository)]
  const { repaired, unrepaired } = await repairStore(store, report, sources)
  for (const { path, why } of unrepaired) console.error(`still damaged: ${path}: ${why}`)
  return repaired.map(blob => blob.digest)
}
// #endregion
