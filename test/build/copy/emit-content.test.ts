import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { planFileCopy } from '../../../lib/build/copy/plan-file-copy.ts'
import { openContext } from '../../../lib/build/index.ts'
import type { TarInput } from '../../../lib/tar/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const STEPS = [
  { path: 'tree', destination: '/tree/' },
  { path: '.', destination: '/' },
  { path: 'tree/a', destination: '/x/y', chown: '7:8', chmod: 'u=rwX,go=' },
] as const

test('a directory copied onto nothing gives the entries that a draft of the layer gives', async () => {
  using directory = temporaryDirectory('emit-content')
  const at = (path: string) => join(directory.path, path)
  for (const path of ['tree/a/c', 'tree/b', 'tree/a.b', 'tree/ä']) mkdirSync(at(path), { recursive: true })
  for (const path of ['tree/a/x', 'tree/a/c/z', 'tree/a.b/y', 'tree/ä/\u{1f600}']) writeFileSync(at(path), path)
  linkSync(at('tree/a/x'), at('tree/b/hard'))
  linkSync(at('tree/a/x'), at('tree/a/c/again'))
  symlinkSync('../a', at('tree/b/soft'))
  await using context = await openContext(directory.path)
  const tree = drafted(context.tree)
  for (const { path, ...step } of STEPS) {
    const entries = await entriesOf({ ...step, sources: [{ tree: context.tree, path }] })
    expect(entries.length).toBeGreaterThan(4)
    expect(entries).toEqual(await entriesOf({ ...step, sources: [{ tree, path }] }))
  }
})

test.each([
  { copied: 'tree/.wh.x', destination: '/to/' },
  { copied: 'tree/.wh.d/x', destination: '/to/' },
  { copied: 'tree/x', destination: '/.wh.to/' },
])('a directory with $copied is not copied to $destination: a name would delete a file', async step => {
  using directory = temporaryDirectory('emit-whiteout')
  const file = join(directory.path, step.copied)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  await using context = await openContext(directory.path)
  for (const tree of [context.tree, drafted(context.tree)]) {
    const entries = entriesOf({ destination: step.destination, sources: [{ tree, path: 'tree' }] })
    await expect(entries).rejects.toMatchObject({ code: 'ERR_BUILD_COPY_CONFLICT' })
  }
})

/** A tree whose copies are drafted, as it has no `lazy`. Methods keep their object, which has private members. */
function drafted<T extends object>(tree: T): T {
  return new Proxy(tree, { get: (_, name) => (name === 'lazy' ? undefined : bound(tree, name as keyof T)) })
}

function bound<T extends object>(target: T, name: keyof T): unknown {
  const value = target[name]
  return typeof value === 'function' ? value.bind(target) : value
}

/** The entries in their order, without their digests, which only trees that open each file by itself have. */
async function entriesOf(step: Parameters<typeof planFileCopy>[0]) {
  const plan = await planFileCopy(step)
  for await (const _ of plan.inputBatches()) {
    // The digests are known from now on.
  }
  const found: object[] = []
  for await (const { content, ...entry } of plan.entries({ below: undefined, time: 0 })) {
    const {
      digest: _,
      size = (content as Uint8Array | undefined)?.byteLength,
      ...header
    } = entry as TarInput & {
      digest?: unknown
    }
    const bytes = typeof content === 'function' ? await content() : content
    found.push({ ...header, size, content: bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : undefined })
  }
  return found
}
