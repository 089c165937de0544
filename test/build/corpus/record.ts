/*
 * Records what the Docker Engine makes of the corpus. Once, by hand, as root:
 *
 *   ../shared/kit/docker-engine.sh up
 *   node test/build/corpus/record.mjs ../shared/kit/docker-engine.sh [DIR]
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
import { baseNames, makeBases } from './bases.ts'
import { type CorpusCase, corpus } from './cases.ts'
import { contexts, writeContext } from './contexts.ts'
import { describeBases, describeImage } from './describe-image.ts'

const run = promisify(execFile)
const [kit = '', tree = '/var/tmp/docker-engine'] = process.argv.slice(2)
const inside = '/tmp/layerstore-corpus'
const place = join(tree, inside)

async function docker(...args: string[]): Promise<string> {
  return (await run(kit, ['exec', 'docker', ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout
}

async function build({ context, dockerfile, args = {}, target }: CorpusCase): Promise<boolean> {
  writeFileSync(join(place, 'Dockerfile'), dockerfile)
  const options = [
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...(target === undefined ? [] : ['--target', target]),
  ]
  try {
    await docker(
      'build',
      '-q',
      '--network=host',
      '-t',
      'corpus',
      '-f',
      `${inside}/Dockerfile`,
      ...options,
      `${inside}/${context}`,
    )
    return true
  } catch (error) {
    process.stderr.write(
      `  error: ${String((error as { stderr?: string }).stderr)
        .trim()
        .split('\n')
        .at(-1)
        ?.slice(0, 160)}\n`,
    )
    return false
  }
}

async function recordOne(entry: CorpusCase, i: number): Promise<object> {
  process.stderr.write(`${i + 1}/${corpus.length} ${entry.name}\n`)
  if (!(await build(entry))) return { error: true }
  await docker('save', '-o', `${inside}/image.tar`, 'corpus')
  const [loaded] = await loadArchive(store, join(place, 'image.tar'))
  return describeImage(store, loaded!.descriptor, bases)
}

const store = createMemoryStore()
await makeBases(store)
const bases = await describeBases(store, baseNames)
rmSync(place, { recursive: true, force: true })
mkdirSync(place)
await saveArchive(store, baseNames, join(place, 'bases.tar'), { format: 'docker' })
await docker('load', '-i', `${inside}/bases.tar`)
for (const [name, files] of Object.entries(contexts)) {
  mkdirSync(join(place, name))
  writeContext(join(place, name), files)
}
const file = new URL('recorded.jsonl', import.meta.url)
const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : ''
const known = new Map<string, object>(text === '' ? [] : text.split('\n').map(line => JSON.parse(line)))
const lines: string[] = []
for (const [i, entry] of corpus.entries()) {
  lines.push(JSON.stringify([entry.name, known.get(entry.name) ?? (await recordOne(entry, i))]))
  // Written after each build: what was recorded is kept if a later one fails.
  writeFileSync(file, `${lines.join('\n')}\n`)
}
rmSync(place, { recursive: true, force: true })
