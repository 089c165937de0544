import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
const run = (...args: string[]) => cli([...args, '--hasher', 'native'], { store })

beforeAll(async () => {
  directory = temporaryDirectory('diff')
  store = join(directory.path, 'store')
  await using opened = await openStore(store, { durability: 'none', hasher: 'native' })
  const base = await writeLayer(opened, [
    { path: 'etc', type: 'directory' },
    { path: 'etc/conf', type: 'file', content: 'a = 1' },
    { path: 'etc/mode', type: 'file', content: 'm' },
    { path: 'etc/old', type: 'file', content: 'moved content' },
    { path: 'gone', type: 'directory' },
  ])
  const change = await writeLayer(opened, [
    { path: 'etc/conf', type: 'file', content: 'a = 12' },
    { path: 'etc/mode', type: 'file', content: 'm', mode: 0o600, mtime: 60 },
    { path: 'etc/.wh.old', type: 'file' },
    { path: 'etc/new', type: 'file', content: 'moved content' },
    { path: '.wh.gone', type: 'file' },
    { path: 'link', type: 'symlink', linkname: 'etc' },
  ])
  const one = await composeImage(opened, { layers: [base], config: { Env: ['A=1'], Labels: { old: 'x' } } })
  const history = { created_by: 'RUN change' }
  const two = await composeImage(opened, {
    base: one,
    layers: [{ ...change, history }],
    config: { Env: ['A=2', 'B=3'] },
  })
  await opened.references.set('app:1', one.descriptor)
  await opened.references.set('app:2', two.descriptor)
})
afterAll(() => directory[Symbol.dispose]())

describe('diff', () => {
  test('prints config, layers, and a line for each path', async () => {
    const { code, stdout, stderr } = await run('diff', 'app:1', 'app:2')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout
      .trimEnd()
      .split('\n')
      .filter(line => !line.includes('annotations'))
    expect(lines).toEqual([
      'config:',
      '  ~ Env A: "1" -> "2"',
      '  + Env B: "3"',
      expect.stringMatching(/^layers: 1 shared, 0 removed, 1 added \(\d+B\)$/),
      expect.stringMatching(/^ {2}\+ sha256:[0-9a-f]{12} {2}\d+B {2}RUN change$/),
      'files: 1 added, 1 removed, 1 changed, 1 moved, 1 only in metadata; 19B -> 20B',
      '  A link (symlink)',
      '  D gone/',
      '  C etc/conf 5B -> 6B (content)',
      '  R etc/old -> etc/new 13B',
      '  M etc/mode (mode, mtime)',
    ])
  })

  test('--json prints the whole difference', async () => {
    const { stdout } = await run('diff', 'app:1', 'app:2', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      names: ['app:1', 'app:2'],
      equal: false,
      files: { moved: [{ from: 'etc/old', path: 'etc/new', size: 13 }] },
    })
  })

  test('exits with 1 for a difference only if --exit-code asks for it', async () => {
    expect((await run('diff', 'app:1', 'app:2', '--exit-code')).code).toBe(1)
    expect(await run('diff', 'app:1', 'app:1', '--exit-code')).toEqual({
      code: 0,
      stdout: 'config: equal\nlayers: 1 shared, 0 removed, 0 added\nfiles: equal\n',
      stderr: '',
    })
  })

  test('--no-files and --no-times leave out what they name', async () => {
    expect((await run('diff', 'app:1', 'app:2', '--no-files')).stdout).not.toContain('files:')
    expect((await run('diff', 'app:1', 'app:2', '--no-times')).stdout).toContain('M etc/mode (mode)\n')
  })

  test('compares with an archive', async () => {
    const archive = join(directory.path, 'app.tar')
    await run('save', 'app:2', '-o', archive)
    const { code, stdout } = await run('diff', 'app:2', `oci-archive:${archive}`, '--exit-code')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('files: equal') })
  })

  test('of one image names the command for two', async () => {
    const { code, stderr } = await run('diff', 'app:1')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('layerstore diff app:1 OTHER') })
  })
})

test('files --layers prints the digest and the command of the layer of each file', async () => {
  const { stdout } = await run('files', 'app:2', 'etc', '--layers')
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map(line => line.split(/ {2,}/))
  expect(rows[0]!.slice(4)).toEqual(['LAYER', 'DIGEST', 'CREATED BY', 'NAME'])
  expect(rows[1]!.slice(4)).toEqual(['2', expect.stringMatching(/^sha256:[0-9a-f]{12}$/), 'RUN change', 'etc/conf'])
  const json = JSON.parse((await run('files', 'app:2', 'etc', '--layers', '--json')).stdout)
  expect(json[0].from).toEqual({
    digest: expect.stringMatching(/^sha256:/),
    diffId: expect.stringMatching(/^sha256:/),
    createdBy: 'RUN change',
  })
})
