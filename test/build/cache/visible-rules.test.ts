import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DockerfileStagesOptions, dockerfileStages } from '../../../lib/build/index.ts'
import type { Files } from '../../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { buildFiles, outcomesOf } from '../../helpers/build-files.ts'
import { fakeExecutor } from '../../helpers/fake-executor.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/** A build that may differ from another one. */
interface Case {
  readonly text: string
  readonly files?: Files
  readonly options?: DockerfileStagesOptions
  readonly secrets?: Readonly<Record<string, string>>
}

let store: Store
let place: ReturnType<typeof temporaryDirectory>
beforeEach(async () => {
  store = createMemoryStore()
  place = temporaryDirectory('visible-rules')
  await sampleImage(store, [{ 'etc/passwd': 'app:x:5:5::/:/bin/sh\n' }], { name: 'base:1' })
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})

// The commands change nothing: an empty layer is enough to see whether they run.
const snapshots = {
  openStack: async () => ({
    path: place.path,
    scratch: place.path,
    async *changes() {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }),
}

async function build({ text, files = { a: '1', b: '2' }, options, secrets }: Case): Promise<string[]> {
  const executor = fakeExecutor(() => 0)
  return outcomesOf(await buildFiles(store, dockerfileStages(text, options), files, { executor, snapshots, secrets }))
}

/** Result of the last step of a build after another build. */
async function after(first: Case, second: Case): Promise<string> {
  await build(first)
  return (await build(second)).at(-1)!.split(' ')[0]!
}

const COPY = 'FROM base:1\nCOPY a /x/\n'
const RUN = 'FROM base:1\nRUN make\n'
const file = (mode: number, mtime: number, uid = 0): Files => [
  { path: 'a', type: 'file', content: '1', mode, mtime, uid },
]

describe('no part of a key', () => {
  test.each<[string, Case, Case]>([
    ['time', { text: COPY, files: file(0o644, 1) }, { text: COPY, files: file(0o644, 2) }],
    ['owner of a context', { text: COPY, files: file(0o644, 1, 0) }, { text: COPY, files: file(0o644, 1, 7) }],
    ['comments', { text: COPY }, { text: `# hello\n${COPY.replace('COPY', '# world\nCOPY')}` }],
    ['case of an instruction', { text: COPY }, { text: COPY.replace('COPY', 'copy') }],
    ['labels', { text: RUN }, { text: RUN.replace('RUN', 'LABEL a=b\nRUN') }],
    ['EXPOSE', { text: RUN }, { text: RUN.replace('RUN', 'EXPOSE 80\nRUN') }],
    ['CMD', { text: RUN }, { text: RUN.replace('RUN', 'CMD ["x"]\nRUN') }],
    ['VOLUME', { text: RUN }, { text: RUN.replace('RUN', 'VOLUME /v\nRUN') }],
    ['HEALTHCHECK', { text: RUN }, { text: RUN.replace('RUN', 'HEALTHCHECK CMD x\nRUN') }],
    ['proxies', { text: RUN }, { text: RUN, options: { buildArgs: { http_proxy: 'http://p' } } }],
    ['build arguments that nothing declares', { text: RUN }, { text: RUN, options: { buildArgs: { OTHER: 'x' } } }],
    [
      'values of secrets',
      { text: RUN.replace('make', '--mount=type=secret,id=s,env=S make'), secrets: { s: '1' } },
      { text: RUN.replace('make', '--mount=type=secret,id=s,env=S make'), secrets: { s: '2' } },
    ],
    [
      'the id of a cache mount',
      { text: RUN.replace('make', '--mount=type=cache,id=one,target=/etc make') },
      { text: RUN.replace('make', '--mount=type=cache,id=two,sharing=locked,target=/etc make') },
    ],
    ['stages that nothing needs', { text: RUN }, { text: `FROM base:1 AS unused\nRUN other\n${RUN}` }],
    [
      'names of stages',
      { text: `FROM base:1 AS one\nCOPY a /f\nFROM base:1\nCOPY --from=one /f /x/\n` },
      { text: `FROM base:1 AS two\nCOPY a /f\nFROM base:1\nCOPY --from=two /f /x/\n` },
    ],
    [
      'where a source is',
      { text: COPY, files: { a: '1' } },
      { text: COPY.replace(' a ', ' d/a '), files: { 'd/a': '1' } },
    ],
    ['files that are not copied', { text: COPY, files: { a: '1' } }, { text: COPY, files: { a: '1', z: '9' } }],
    [
      'what a pattern does not match',
      { text: COPY.replace(' a ', ' *.js '), files: { 'a.js': '1' } },
      { text: COPY.replace(' a ', ' *.js '), files: { 'a.js': '1', 'a.md': '2' } },
    ],
    ['the spelling of a base', { text: COPY }, { text: COPY.replace('base:1', 'docker.io/library/base:1') }],
    ['an ARG before WORKDIR', { text: 'FROM base:1\nWORKDIR /w\n' }, { text: 'FROM base:1\nARG A=1\nWORKDIR /w\n' }],
  ])('is: %s', async (_, first, second) => {
    expect(await after(first, second)).toBe('cached')
  })
})

describe('part of a key', () => {
  test.each<[string, Case, Case]>([
    ['mode', { text: COPY, files: file(0o644, 1) }, { text: COPY, files: file(0o755, 1) }],
    ['content', { text: COPY, files: { a: '1' } }, { text: COPY, files: { a: '2' } }],
    [
      'names',
      { text: COPY.replace(' a ', ' . '), files: { a: '1' } },
      { text: COPY.replace(' a ', ' . '), files: { b: '1' } },
    ],
    [
      'empty directories',
      { text: COPY.replace(' a ', ' . '), files: { a: '1' } },
      {
        text: COPY.replace(' a ', ' . '),
        files: [
          { path: 'a', type: 'file', content: '1' },
          { path: 'd', type: 'directory' },
        ],
      },
    ],
    [
      'targets of links',
      { text: COPY.replace(' a ', ' . '), files: [{ path: 'l', type: 'symlink', linkname: 'x' }] },
      { text: COPY.replace(' a ', ' . '), files: [{ path: 'l', type: 'symlink', linkname: 'y' }] },
    ],
    ['the destination', { text: COPY }, { text: COPY.replace('/x/', '/y/') }],
    ['chown', { text: COPY }, { text: COPY.replace('COPY', 'COPY --chown=app') }],
    ['chmod', { text: COPY }, { text: COPY.replace('COPY', 'COPY --chmod=600') }],
    [
      'the result of an exclusion',
      { text: COPY.replace(' a ', ' . ') },
      { text: COPY.replace('COPY a ', 'COPY --exclude=b . ') },
    ],
    ['the text of a command', { text: RUN.replace('make', 'make all') }, { text: RUN.replace('make', 'make  all') }],
    [
      'the layout of continued lines',
      { text: RUN.replace('make', 'a \\\n b') },
      { text: RUN.replace('make', 'a \\\n  b') },
    ],
    ['a declared ARG, used or not', { text: RUN }, { text: RUN.replace('RUN', 'ARG A=1\nRUN') }],
    [
      'the value of an ARG',
      { text: RUN.replace('RUN', 'ARG A=1\nRUN') },
      { text: RUN.replace('RUN', 'ARG A=1\nRUN'), options: { buildArgs: { A: '2' } } },
    ],
    ['a variable, used or not', { text: RUN }, { text: RUN.replace('RUN', 'ENV A=1\nRUN') }],
    ['the user', { text: RUN }, { text: RUN.replace('RUN', 'USER app\nRUN') }],
    ['the shell', { text: RUN }, { text: RUN.replace('RUN', 'SHELL ["/bin/bash","-c"]\nRUN') }],
    ['the network', { text: RUN }, { text: RUN.replace('make', '--network=none make') }],
    ['steps before it that change files', { text: RUN }, { text: RUN.replace('RUN', 'COPY a /\nRUN') }],
  ])('is: %s', async (_, first, second) => {
    expect(await after(first, second)).toBe('made')
  })
})

test('a copy of everything has the Dockerfile in it, unless that is ignored', async () => {
  const text = 'FROM base:1\nCOPY . /x/\n'
  const first = { text, files: { a: '1', Dockerfile: text } }
  expect(await after(first, { text, files: { a: '1', Dockerfile: `# hello\n${text}` } })).toBe('made')
})

test('a stage that is made anew with the same files leaves the steps that copy from it cached', async () => {
  const text = (salt: string) =>
    `FROM base:1 AS build\nARG SALT=${salt}\nRUN compile\nCOPY a /out/\nFROM base:1\nCOPY --from=build /out /app/\n`
  await build({ text: text('1') })
  expect(await build({ text: text('2') })).toEqual([
    'made RUN compile',
    'cached COPY a /out/',
    'cached COPY --from=build /out /app/',
  ])
})
