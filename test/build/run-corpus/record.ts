/*
 * Records what the Docker Engine makes of the corpus of commands. Once, by hand, as root:
 *
 *   ../shared/kit/docker-engine.sh up
 *   node test/build/run-corpus/record.mjs ../shared/kit/docker-engine.sh [DIR]
 *   ../shared/kit/docker-engine.sh down
 *
 * DIR is the directory of the engine's tree, by default /var/tmp/docker-engine; contexts are written to its tmp.
 * Each line of recorded.jsonl is a build and its result. Builds that have a line keep it; remove it to record it again.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadArchive, saveArchive } from '../../../lib/archive/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { writeContext } from '../corpus/contexts.ts'
import { describeBases } from '../corpus/describe-image.ts'
import { makeRunBases, runBases } from './bases.ts'
import { runCorpus } from './cases.ts'
import { runContexts, runSecrets } from './contexts.ts'
import { type DescribedFailure, type DescribedRun, describeRun } from './describe-run.ts'
import type { RunCase } from './run-case.ts'

const run = promisify(execFile)
const [kit = '', tree = '/var/tmp/docker-engine'] = process.argv.slice(2)
const inside = '/tmp/layerstore-run-corpus'
const image = 'layerstore-run-corpus'
const place = join(tree, inside)

async function docker(...args: string[]): Promise<string> {
  return (await run(kit, ['exec', 'docker', ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout
}

/** Resolves to the failure of a build, if it failed. */
async function build({ context, dockerfile, args = {}, target }: RunCase): Promise<DescribedFailure | undefined> {
  writeFileSync(join(place, 'Dockerfile'), dockerfile)
  const options = [
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.keys(runSecrets).flatMap(id => ['--secret', `id=${id},src=${inside}/secret-${id}`]),
    ...(target === undefined ? [] : ['--target', target]),
  ]
  const common = ['build', '-q', '--no-cache', '--network=host', '--allow=network.host', '-t', image]
  try {
    await docker(...common, '-f', `${inside}/Dockerfile`, ...options, `${inside}/${context}`)
    return undefined
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr).trim()
    process.stderr.write(`  error: ${said.split('\n').at(-1)?.slice(0, 200)}\n`)
    return { error: /exit code: \d+/.exec(said)?.[0].replace(':', '') ?? true }
  }
}

async function recordOne(entry: RunCase, i: number): Promise<DescribedRun | DescribedFailure> {
  process.stderr.write(`${i + 1}/${runCorpus.length} ${entry.name}\n`)
  const failure = await build(entry)
  if (failure) return failure
  await docker('save', '-o', `${inside}/image.tar`, image)
  const [loaded] = await loadArchive(store, join(place, 'image.tar'))
  return describeRun(store, loaded!.descriptor, { bases, times: entry.times })
}

const store = createMemoryStore()
await makeRunBases(store)
const bases = await describeBases(store, runBases)
rmSync(place, { recursive: true, force: true })
mkdirSync(place)
await saveArchive(store, runBases, join(place, 'bases.tar'), { format: 'docker' })
await docker('load', '-i', `${inside}/bases.tar`)
for (const [name, files] of Object.entries(runContexts)) {
  mkdirSync(join(place, name))
  writeContext(join(place, name), files)
}
for (const [id, value] of Object.entries(runSecrets)) writeFileSync(join(place, `secret-${id}`), value)
const file = new URL('recorded.jsonl', import.meta.url)
const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : ''
const known = new Map<string, object>(text === '' ? [] : text.split('\n').map(line => JSON.parse(line)))
const lines: string[] = []
for (const [i, entry] of runCorpus.entries()) {
  lines.push(JSON.stringify([entry.name, known.get(entry.name) ?? (await recordOne(entry, i))]))
  // Written after each build: what was recorded is kept if a later one fails.
  if (!known.has(entry.name)) writeFileSync(file, `${lines.join('\n')}\n`)
}
writeFileSync(file, `${lines.join('\n')}\n`)
rmSync(place, { recursive: true, force: true })
await docker('rmi', image, ...runBases)
