import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { ref, remote, serveRegistry } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/* Other rooms import this one through its door alone, so a command that loads any of its code fails here. */
vi.mock('../../lib/trust/index.ts', () => {
  throw new Error('the code for policies was loaded')
})

serveRegistry()

let directory: ReturnType<typeof temporaryDirectory>
beforeAll(() => {
  directory = temporaryDirectory('no-policy')
})
afterAll(() => directory[Symbol.dispose]())

test('commands that obey policies load no code for them unless one is set', async () => {
  const reference = ref('team/app:1')
  await sampleImage(remote, [{ file: 'one' }], { name: 'team/app:1' })
  const at = (name: string) => join(directory.path, name)
  writeFileSync(at('policy.json'), JSON.stringify({ version: 1, default: 'accept' }))
  writeFileSync(at('Dockerfile'), `FROM ${reference}\nENV A=1\n`)
  const archive = `oci-archive:${at('app.tar')}:${reference}`
  for (const [name, ...rest] of [
    ['copy', reference, archive],
    ['load', '-i', at('app.tar')],
    ['pull', reference],
    ['build', directory.path, '-t', 'built:1'],
    ['append', `docker://${reference}`, '--env', 'A=1', '-t', 'appended:1'],
    ['edit', `docker://${reference}`, '--env', 'A=1', '-t', 'edited:1'],
    ['index', 'create', `docker://${reference}`, '-t', 'listed:1'],
    [
      'rebase',
      `docker://${reference}`,
      '--onto',
      `docker://${reference}`,
      '--from',
      `docker://${reference}`,
      '-t',
      'r:1',
    ],
  ] as const) {
    const run = (...policy: string[]) => cli([name, ...policy, ...rest], { store: at('store') })
    expect({ name, ...(await run()) }).toMatchObject({ name, code: 0 })
    const loading = await run('--policy', at('policy.json')).catch((error: Error) => ({ code: 1, stderr: `${error}` }))
    expect(loading).toMatchObject({ code: 1, stderr: expect.stringMatching(/loaded|vi\.mock/) })
  }
})
