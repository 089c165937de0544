// Runs the conformance suite of executors as the user of this process, in a user namespace:
// `node rootless-conformance-child.mjs DIRECTORY EXECUTOR WITHOUT`. Prints a line of JSON for each case.
import { rootlessSandbox } from '../../lib/sandbox/index.ts'
import { executorConformance } from '../../lib/testing/index.ts'

const [directory, executor, without] = process.argv.slice(2)

async function main() {
  await using sandbox = rootlessSandbox({ directory, executor })
  for (const { name, skip, run } of executorConformance({
    create: () => sandbox.executor,
    without: JSON.parse(without),
  })) {
    let error
    if (!skip) await run().catch(cause => (error = String(cause?.stack ?? cause)))
    console.log(JSON.stringify({ name, error }))
  }
}

void main()
