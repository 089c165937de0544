import { expect, test } from 'vitest'
import { from, type ScriptedStage } from '../../lib/build/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { buildFiles } from '../helpers/build-files.ts'
import fc, { cases } from '../helpers/fast-check.ts'

const name = fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/c')
const entry = fc.record({
  path: name,
  content: fc.constantFrom('', 'x', 'y'),
  mode: fc.constantFrom(0o644, 0o755, 0o600),
  mtime: fc.nat(3),
})
const tree = fc
  .uniqueArray(entry, { selector: ({ path }) => path, minLength: 1 })
  .map(found =>
    [...found, { path: 'a', content: 'always', mode: 0o644, mtime: 0 }]
      .filter(({ path }, i, all) => all.findIndex(other => other.path === path) === i)
      .map((file): TarInput => ({ ...file, type: 'file' })),
  )

type Act = (stage: ScriptedStage, tools: ScriptedStage) => ScriptedStage
const act = fc.constantFrom<Act>(
  stage => stage.copy('.', '/x/'),
  stage => stage.copy('a', '/y'),
  stage => stage.copy('a', '/y/', { chown: '1:1', chmod: '700' }),
  stage => stage.copy('a', '/z/', { link: true }),
  stage => stage.workdir('/w'),
  stage => stage.env({ A: '1' }),
  (stage, tools) => stage.copy({ from: tools, source: '/t', to: '/u/' }),
)

function stageOf(acts: readonly Act[]): ScriptedStage {
  const tools = from('scratch').copy('.', '/t/')
  return acts.reduce((stage, act) => act(stage, tools), from('scratch'))
}

test('a cache never changes the result: any build gives what it gives in an empty store', async () => {
  const build = fc.record({ files: tree, acts: fc.array(act, { minLength: 1, maxLength: 4 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(build, { minLength: 2, maxLength: 4 }), async builds => {
      await using used = createMemoryStore()
      for (const { files, acts } of builds) {
        await using empty = createMemoryStore()
        const [cached, fresh] = [await attempt(used), await attempt(empty)]
        expect(cached).toEqual(fresh)
        async function attempt(store: typeof used): Promise<unknown> {
          try {
            return (await buildFiles(store, stageOf(acts), files)).descriptor
          } catch (error) {
            return (error as { code: string }).code
          }
        }
      }
    }),
    { numRuns: cases(100) },
  )
})
