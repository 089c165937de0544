import { expect, test } from 'vitest'
import { from, type ScriptedStage } from '../../lib/build/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { buildFiles } from '../helpers/build-files.ts'
import fc, { cases } from '../helpers/fast-check.ts'

const name = fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/c', 'dd/e/c')
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

const modes = fc.constantFrom(0o755, 0o700)

type Act = (stage: ScriptedStage, tools: ScriptedStage) => ScriptedStage
const act = fc.constantFrom<Act>(
  stage => stage.copy('.', '/x/'),
  stage => stage.copy('a', '/y'),
  stage => stage.copy('a', '/y/', { chown: '1:1', chmod: '700' }),
  stage => stage.copy('a', '/z/', { link: true }),
  stage => stage.copy('d*/*', '/p/', { parents: true }),
  stage => stage.copy('d*/e/./c*', '/p/', { parents: true }),
  stage => stage.copy(['a', 'd*'], '/r/', { exclude: ['e'], chmod: 'go=' }),
  stage => stage.workdir('/w'),
  stage => stage.user('7').workdir('/w/deep'),
  stage => stage.files([{ path: 'y', type: 'symlink', linkname: '/x' }]),
  stage => stage.env({ A: '1' }),
  (stage, tools) => stage.copy({ from: tools, source: '/t', to: '/u/' }),
)

/** The files with the mode of a directory that some of them are in. */
function withDirectory(files: readonly TarInput[], mode: number): TarInput[] {
  const has = files.some(({ path }) => path.startsWith('d/'))
  return has ? [{ path: 'd', type: 'directory', mode }, ...files] : [...files]
}

function stageOf(acts: readonly Act[]): ScriptedStage {
  const tools = from('scratch').copy('.', '/t/')
  return acts.reduce((stage, act) => act(stage, tools), from('scratch'))
}

test('a cache never changes the result: any build gives what it gives in an empty store', async () => {
  const build = fc.record({ files: tree, mode: modes, acts: fc.array(act, { minLength: 1, maxLength: 4 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(build, { minLength: 2, maxLength: 4 }), async builds => {
      await using used = createMemoryStore()
      for (const { files: found, mode, acts } of builds) {
        const files = withDirectory(found, mode)
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
