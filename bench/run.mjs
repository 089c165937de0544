// npm run bench [-- --smoke] [-- --only NAME]: every scenario in a fresh process, its figures as one line of JSON each.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { smoke: { type: 'boolean' }, only: { type: 'string' } } })
const directory = join(import.meta.dirname, 'macro')
const scenarios = readdirSync(directory)
  .filter(file => file.endsWith('.mjs'))
  .filter(file => !values.only || basename(file, '.mjs') === values.only)
if (scenarios.length === 0) throw new Error(`no scenario named ${values.only}`)

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`)
for (const file of scenarios) {
  const args = [join(directory, file), ...(values.smoke ? ['--smoke'] : [])]
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  console.log(`${basename(file, '.mjs')}\n${output.trimEnd().replace(/^/gm, '  ')}\n`)
}
