import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../harness/measure/measure-command.mjs'
import { pinned } from '../harness/measure/pinned.mjs'

/** Root of a Debian tree with newer tools than this machine has; they run by `chroot`. */
const ROOT = process.env.TOOLS_ROOT

const crane = {
  version: ['version'],
  pull: ({ reference, layout }) => ['pull', '--insecure', '--format=oci', reference, layout],
  push: ({ reference, layout }) => ['push', '--insecure', layout, reference],
}

const skopeo = {
  version: ['--version'],
  pull: ({ reference, layout }) => [...COPY, '--src-tls-verify=false', `docker://${reference}`, `oci:${layout}:1`],
  push: ({ reference, layout }) => [...COPY, '--dest-tls-verify=false', `oci:${layout}`, `docker://${reference}`],
}
const COPY = ['copy', '--quiet', '--insecure-policy']

const oras = {
  version: ['version'],
  pull: ({ reference, layout }) => [
    'copy',
    '--no-tty',
    '--from-plain-http',
    reference,
    '--to-oci-layout',
    `${layout}:1`,
  ],
  push: ({ reference, layout, digest }) => [
    ...['copy', '--no-tty', '--from-oci-layout', `${layout}@${digest}`, '--to-plain-http', reference],
  ],
}

/** skopeo, crane and oras of the tree that TOOLS_ROOT names; each is skipped with the reason where it is absent. */
export const toolsOfToday = Object.entries({ skopeo, crane, oras }).map(([name, tool]) => ({
  name: `${name} of today`,
  available: () => absent(name),
  version: () => versionOf(name, tool.version),
  run: (job, input) => runInTree(name, tool[job], input),
}))

/** The contender with that name. */
export function ofToday(name) {
  return toolsOfToday.find(tool => tool.name === `${name} of today`)
}

function absent(name) {
  if (!ROOT) return 'absent: TOOLS_ROOT names no tree with it'
  return existsSync(join(ROOT, 'usr/bin', name)) ? undefined : 'absent from the tree that TOOLS_ROOT names'
}

function versionOf(name, args) {
  try {
    const said = execFileSync('chroot', [ROOT, name, ...args], { encoding: 'utf8', stdio: 'pipe' })
    return `${name} ${/\d+\.\d+\.\d+\S*/.exec(said)?.[0] ?? ''}`.trim()
  } catch {
    return name
  }
}

/** The tool sees its tree only, so the layout is copied in before the measurement or out after it. */
async function runInTree(name, argumentsOf, input) {
  const place = mkdtempSync(join(ROOT, 'tmp/layerstore-bench-'))
  const layout = join(place, 'layout')
  try {
    const isPush = existsSync(join(input.layout, 'index.json'))
    if (isPush) cpSync(input.layout, layout, { recursive: true })
    const args = argumentsOf({ ...input, layout: layout.slice(ROOT.length) })
    const { stdout: _, ...measured } = await measureCommand([...pinned(input), 'chroot', ROOT, name, ...args])
    if (!isPush) cpSync(layout, input.layout, { recursive: true })
    return { ...measured, outcome: { layout: input.layout, reference: input.reference } }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
