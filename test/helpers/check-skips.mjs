// REPORT LOG ROOT: fails if a test file skipped a test without a printed reason. Prints each reason with the number of
// files.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const [report, log, root] = process.argv.slice(2)
const reasons = reasonsByFile(stripVTControlCharacters(readFileSync(log, 'utf8')))
const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
const skipping = testResults.filter(({ assertionResults }) =>
  assertionResults.some(({ status }) => status !== 'passed' && status !== 'failed'),
)
const silent = skipping.map(({ name }) => relative(root, name)).filter(file => !reasons.has(file))
const files = new Map()
for (const each of reasons.values()) for (const reason of each) files.set(reason, (files.get(reason) ?? 0) + 1)
for (const [reason, count] of files) console.log(`${reason} (${count} ${count === 1 ? 'file' : 'files'})`)
if (silent.length > 0) {
  console.error(`skipped without a printed reason in:\n${silent.join('\n')}`)
  process.exitCode = 1
}

/** Returns the printed skip reasons of each test file. Vitest prints the file name above the output of the file. */
function reasonsByFile(text) {
  const found = new Map()
  let file
  for (const line of text.split('\n')) {
    const head = line.match(/^(?:stderr|stdout) \| (\S+)/)
    if (head) file = head[1]
    if (!line.startsWith('skipped')) continue
    found.set(file, (found.get(file) ?? new Set()).add(line))
  }
  return found
}
