import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contextTar, openContext } from '../../lib/build/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

function makeContext() {
  const directory = temporaryDirectory('context-ls')
  const files = {
    '.dockerignore': '# no logs\n*.log\nd\n!d/keep\n',
    'a.log': 'x',
    'b.txt': 'yy',
    'd/keep': '',
    'd/drop': '',
  }
  mkdirSync(join(directory.path, 'd'))
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory.path, path), content)
  return directory
}

test('context ls lists what a build may copy, and --why all paths with the line that decided', async () => {
  using directory = makeContext()
  const plain = await cli(['context', 'ls', directory.path])
  expect(plain).toMatchObject({
    code: 0,
    stdout: '.dockerignore\nb.txt\nd/\nd/keep\n',
    stderr: '3 files, 28B in the context\n',
  })
  const why = await cli(['context', 'ls', '--why', directory.path])
  expect(why.stdout.split('\n').map(line => line.split(/ {2,}/).filter(Boolean))).toEqual([
    ['PATH', 'SIZE', 'WHY'],
    ['in', '.dockerignore', '26B', 'no pattern matches'],
    ['out', 'a.log', '1B', '.dockerignore:2 *.log'],
    ['in', 'b.txt', '2B', 'no pattern matches'],
    ['in', 'd/', '-', '.dockerignore:3 d, but something below it is in'],
    ['out', 'd/drop', '0B', '.dockerignore:3 d'],
    ['in', 'd/keep', '0B', '.dockerignore:4 !d/keep'],
    [],
  ])
  const json = await cli(['--json', 'context', 'ls', '--why', directory.path])
  expect(JSON.parse(json.stdout)[1]).toEqual({
    path: 'a.log',
    type: 'file',
    size: 1,
    included: false,
    pattern: '*.log',
    line: 2,
  })
})

test('context ls uses the ignore file beside the Dockerfile, also outside the context', async () => {
  using directory = makeContext()
  using other = temporaryDirectory('dockerfile')
  const file = join(other.path, 'app.Dockerfile')
  writeFileSync(file, 'FROM scratch\n')
  writeFileSync(`${file}.dockerignore`, '*\n!b.txt\n')
  expect((await cli(['context', 'ls', '-f', file, directory.path])).stdout).toBe('b.txt\n')
  writeFileSync(join(directory.path, 'Dockerfile.dockerignore'), '**\n')
  expect((await cli(['context', 'ls', directory.path])).stdout).toBe('')
})

test('context ls reads an archive on stdin, and refuses what it does not know', async () => {
  using directory = makeContext()
  await using context = await openContext(directory.path)
  expect((await cli(['context', 'ls', '-'], { stdin: contextTar(context) })).stdout).toBe(
    '.dockerignore\nb.txt\nd/\nd/keep\n',
  )
  expect((await cli(['context', 'rm', directory.path])).code).toBe(2)
  expect((await cli(['context', 'ls', join(directory.path, 'none')])).stderr).toMatch(/ERR_SOURCE_NOT_FOUND/)
})
