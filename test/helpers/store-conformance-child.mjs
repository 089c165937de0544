// Runs cases of the conformance suite over a store in a bucket that other processes use too:
// `node store-conformance-child.mjs PLACE PROCESS EVERY`, each case or one of so many. Prints a line of JSON for each
// case, and one with the digests that the calls have acknowledged.
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { sharedPrefixSubject } from './shared-prefix-subject.ts'

const [place, process_, every] = process.argv.slice(2)
const { subject, acknowledged } = sharedPrefixSubject(JSON.parse(place), Number(process_))
const cases = blobStoreConformance(subject).filter((_, i) => i % Number(every) === Number(process_) % Number(every))
for (const { name, skip, run } of cases) {
  let error
  if (!skip) await run().catch(cause => (error = String(cause?.stack ?? cause)))
  console.log(JSON.stringify({ name, skip, error }))
}
console.log(JSON.stringify({ acknowledged: [...acknowledged] }))
