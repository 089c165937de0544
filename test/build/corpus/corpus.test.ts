import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage, dockerfileStages, openContext } from '../../../lib/build/index.ts'
import { LayerStoreError } from '../../../lib/errors/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { baseNames, makeBases } from './bases.ts'
import { type CorpusCase, corpus } from './cases.ts'
import { contexts, writeContext } from './contexts.ts'
import { type DescribedImage, describeBases, describeImage } from './describe-image.ts'
import { differences } from './differences.ts'

/** What the Docker Engine makes of the corpus; record.ts says how it was recorded. */
const recorded: Record<string, DescribedImage | { error: true }> = Object.fromEntries(
  readFileSync(new URL('recorded.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line)),
)

const store = createMemoryStore()
const directory = temporaryDirectory('corpus')
let bases: Awaited<ReturnType<typeof describeBases>>

beforeAll(async () => {
  await makeBases(store)
  bases = await describeBases(store, baseNames)
  for (const [name, files] of Object.entries(contexts)) {
    mkdirSync(join(directory.path, name))
    writeContext(join(directory.path, name), files)
  }
})

afterAll(() => directory[Symbol.dispose]())

async function build({ context, dockerfile, args, target }: CorpusCase): Promise<DescribedImage | { error: true }> {
  try {
    await using opened = await openContext(join(directory.path, context), { store })
    const stages = dockerfileStages(dockerfile, { buildArgs: args ?? {}, ...(target === undefined ? {} : { target }) })
    const { descriptor } = await buildImage(store, stages, { context: opened, platforms: ['linux/amd64'] })
    return await describeImage(store, descriptor, bases)
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
    return { error: true }
  }
}

test('the corpus has at least 250 builds, each with a recorded result', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(250)
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length)
  expect(Object.keys(recorded)).toEqual(corpus.map(({ name }) => name))
  expect(Object.keys(differences).filter(name => !(name in recorded))).toEqual([])
})

test.each(corpus)('equals the Docker Engine: $name', async entry => {
  const expected = recorded[entry.name]!
  const difference = differences[entry.name]
  const actual = await build(entry)
  if (!difference) expect(actual).toEqual(expected)
  else if ('error' in difference.ours) expect(actual).toEqual(difference.ours)
  else expect(actual).toEqual({ ...('error' in expected ? {} : expected), ...difference.ours })
})
