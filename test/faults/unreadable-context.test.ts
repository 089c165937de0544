import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { nodeForAnyone } from '../helpers/node-for-anyone.ts'
import { cliProcesses } from '../helpers/start-cli.ts'
import { asNobody, giveToNobody } from '../helpers/start-nobody.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const run = promisify(execFile)

test.each([
  ['file', 'COPY a.txt /'],
  ['file in a directory', 'COPY . /all/'],
  ['directory', 'COPY closed /x/'],
])('an unreadable %s of the context is a typed error with the place; steps before it stay cached', async (_, copy) => {
  using place = temporaryDirectory('unreadable')
  using node = nodeForAnyone()
  chmodSync(place.path, 0o755)
  const context = join(place.path, 'context')
  const home = join(place.path, 'home')
  for (const directory of [context, home, join(context, 'closed')]) mkdirSync(directory)
  writeFileSync(join(context, 'Dockerfile'), `FROM scratch\nCOPY ok /\n${copy}\n`)
  writeFileSync(join(context, 'ok'), 'ok')
  writeFileSync(join(context, 'a.txt'), 'a', { mode: 0 })
  giveToNobody(home)
  const [, ...rest] = cliProcesses(place.path, join(home, 'store')).command
  chmodSync(join(context, 'closed'), 0)
  const env = { PATH: process.env.PATH, HOME: home, LAYERSTORE_STORE: join(home, 'store'), LAYERSTORE_CONFIG: devNull }
  const build = async () => {
    const options = { ...asNobody, env, cwd: '/' }
    const ran = run(node.path, [...rest, 'build', '-t', 'app:1', context], options)
    return ran.then(
      ({ stderr }) => stderr,
      ({ stderr }) => String(stderr),
    )
  }
  expect(await build()).toMatch(/> 3 \| COPY .*cannot be read.*ERR_SOURCE_READ.*\(Dockerfile:3:1\)/s)
  expect(readdirSync(join(home, 'store/.layerstore/ingests'))).toEqual([])
  chmodSync(join(context, 'closed'), 0o755)
  chmodSync(join(context, 'a.txt'), 0o644)
  expect(await build()).toMatch(/\[2\/3\] CACHED\n.*\[3\/3\] DONE/s)
})
