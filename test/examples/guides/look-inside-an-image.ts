// #region dissect
import { writeFile } from 'node:fs/promises'
import { openStore } from 'layerstore'
import {
  adviseSplit,
  analyzeImage,
  checkRules,
  diffImages,
  htmlReport,
  measureDedup,
  readHistory,
} from 'layerstore/inspect'

/** Prints the steps of an image with the size of each layer, and what the layers waste. */
export async function dissect(directory: string, name: string) {
  await using store = await openStore(directory)
  for (const { created_by, layer } of await readHistory(store, name)) console.log(layer?.size ?? 0, created_by)
  const { waste, rewrites, caches, biggest } = await analyzeImage(store, name)
  console.log(`${waste.bytes} bytes are stored, but no container sees them`)
  for (const { path, bytes, copies } of waste.paths) console.log(bytes, path, copies[0]?.why)
  for (const { layer, bytes, fields } of rewrites.layers) console.log(`layer ${layer} stores ${bytes} again:`, fields)
  for (const { kind, path, bytes, advice } of caches) console.log(kind, path, bytes, advice)
  return biggest.directories
}
// #endregion

// #region gate
/** Fails a build whose image is too large, too wasteful, or holds a secret. */
export async function gate(directory: string, name: string) {
  await using store = await openStore(directory)
  const found = await analyzeImage(store, name)
  const rules = { lowestEfficiency: 0.95, highestSize: 200e6, highestSecrets: 0 }
  const failed = checkRules(found, rules).filter(({ passed }) => !passed)
  for (const { rule, actual, limit } of failed) console.error(`${rule}: ${actual}, limit ${limit}`)
  for (const secret of found.secrets.found) console.error('secret:', secret)
  return failed.length === 0
}
// #endregion

// #region report
/** Writes a page about one image or several, for a browser: layers, a map of the files, all findings. */
export async function report(directory: string, names: readonly string[], file: string) {
  await using store = await openStore(directory)
  await writeFile(file, await htmlReport(names.map(image => ({ store, image }))))
}
// #endregion

// #region releases
/** Compares two releases, and advises how to split the image so that updates cost less. */
export async function compareReleases(directory: string, before: string, after: string) {
  await using store = await openStore(directory)
  const [older, newer] = [
    { store, image: before },
    { store, image: after },
  ]
  const { config, files } = await diffImages(older, newer)
  for (const { member, name, before: was, after: is } of config) console.log(member, name, was, is)
  for (const { from, path } of files?.moved ?? []) console.log(`${from} is now ${path}`)
  const { layers, savedPerUpdate } = await adviseSplit([older, newer])
  console.log(`${savedPerUpdate} bytes less for each update with these layers, the lowest first:`)
  for (const { bytes, changedIn, places } of layers) console.log(bytes, changedIn, places[0]?.path)
  const { levels } = await measureDedup([older, newer])
  return levels.map(({ level, added }) => ({ level, bytes: added.at(-1)?.compressedBytes }))
}
// #endregion
