// Imports the library, or nothing.
import { load, report } from './report.mjs'

await report(async ({ library, door }) => {
  const names = door ? Object.keys(await load(library, door)).length : 0
  return { outcome: { names } }
})
