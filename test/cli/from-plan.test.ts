import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>

beforeEach(async () => {
  directory = temporaryDirectory('cli-from-plan')
  remote = createMemoryStore()
  server = await serveStore(remote)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})
const at = (name: string) => join(directory.path, name)
const run = (...args: string[]) => cli(args, { store: at('store') })
const ref = (name: string) => `${server.host}/${name}`
const store = () => openStore(at('store'))
/** Stores the plan of a command; returns the options that run it. */
const planned = async (...args: string[]) => {
  const { stdout, code } = await run(...args, '--plan', '--json')
  expect(code).toBe(0)
  writeFileSync(at('plan.json'), stdout)
  return ['--from-plan', at('plan.json')]
}

describe('pull --from-plan', () => {
  test('does what was planned, by digest, and says what no longer holds', async () => {
    const { digest } = await sampleIndex(remote, ['amd64', 'arm64'], 'app:1')
    const options = await planned('pull', ref('app:1'), '--all-platforms', '--tag', 'mine:1')
    expect(JSON.parse((await run('df', '--json')).stdout)).toMatchObject({ error: { code: 'ERR_STORE_NOT_FOUND' } })
    await sampleImage(remote, [{ b: 'b' }], { name: 'app:1' })
    const { code, stdout, stderr } = await run('pull', ...options)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${digest}\n` })
    expect(stderr).toContain(`changed since the plan: the name stood for ${digest}, now for sha256:`)
    expect(stderr).toMatch(/mine:1: [\d.]+k?B fetched, 0B already there/)
    await using opened = await store()
    expect((await opened.references.get('mine:1'))?.digest).toBe(digest)
  })

  test('with --if-changed fail moves nothing then', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const options = await planned('pull', ref('app:1'))
    await sampleImage(remote, [{ b: 'b' }], { name: 'app:1' })
    const { code, stderr } = await run('pull', ...options, '--if-changed', 'fail')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('(ERR_PLAN_OUTDATED)') })
    expect((await run('images', '--json')).stdout).toBe('[]\n')
  })

  test('that still holds says nothing about changes, also with --json', async () => {
    const { descriptor } = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const options = await planned('pull', ref('app:1'))
    const { stdout, stderr } = await run('pull', ...options, '--if-changed', 'fail', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ digest: descriptor.digest, changes: [], blobsFetched: 3 })
    expect(stderr).toBe('')
    const again = (await run('pull', ...options)).stderr
    expect(again).toContain('fetch was planned, present was needed')
    expect(again).toMatch(/0B fetched, [1-9][\d.]*k?B already there/)
  })

  test('reads the plan from a pipe', async () => {
    const { descriptor } = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const { stdout: plan } = await run('pull', ref('app:1'), '--plan', '--json')
    const stdin = (async function* () {
      yield Buffer.from(plan)
    })()
    const { code, stdout } = await cli(['pull', '--from-plan', '-'], { store: at('store'), stdin })
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${descriptor.digest}\n` })
  })
})

test('push --from-plan sends what was planned, under all its tags', async () => {
  await using opened = await store()
  const { descriptor } = await sampleImage(opened, [{ a: 'a' }], { name: 'app:1' })
  const options = await planned('push', 'app:1', ref('team/app:1'), '--tag', 'latest')
  expect((await run('push', ...options)).stdout).toBe(`${descriptor.digest}\n`)
  for (const name of ['team/app:1', 'team/app:latest']) {
    expect((await remote.references.get(name))?.digest).toBe(descriptor.digest)
  }
})

test('copy --from-plan opens both ends by what the plan calls them', async () => {
  const { digest } = await sampleIndex(remote, ['amd64', 'arm64'], 'app:1')
  const ends = [
    [ref('app:1'), `oci:${at('layout')}:1.0`],
    [`oci:${at('layout')}:1.0`, `oci-archive:${at('one.tar')}:1.0`],
    [`oci-archive:${at('one.tar')}:1.0`, 'store:app:1'],
    ['store:app:1', ref('again:1')],
    [ref('again:1'), ref('third:1')],
  ]
  for (const [from, to] of ends) {
    const options = await planned('copy', from!, to!)
    expect(await run('copy', ...options)).toMatchObject({ code: 0, stdout: `${digest}\n` })
  }
  expect((await remote.references.get('third:1'))?.digest).toBe(digest)
})

describe('contradictory options are wrong usage', () => {
  const wrong = async (args: string[], message: RegExp) => {
    const { code, stderr } = await run(...args)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) })
  }

  test('neither arguments nor a plan, or both', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const options = await planned('pull', ref('app:1'))
    for (const command of ['pull', 'push', 'copy'])
      await wrong([command], /missing (REF|NAME|SRC), or --from-plan FILE/)
    await wrong(['copy', 'store:a:1'], /missing DST/)
    await wrong(['pull', ref('app:1'), ...options], /takes no REF/)
    for (const more of [['--tag', 'x'], ['--platform', 'linux/amd64'], ['--all-platforms'], ['--plan']]) {
      await wrong(['pull', ...options, ...more], new RegExp(`takes no ${more[0]}`))
    }
    await wrong(['pull', ref('app:1'), '--if-changed', 'fail'], /belongs to --from-plan/)
    await wrong(['pull', ...options, '--if-changed', 'maybe'], /adapt or fail/)
  })

  test('the plan of another command, or a file that does not exist', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const options = await planned('pull', ref('app:1'))
    await wrong(['push', ...options], /plan of a pull: layerstore pull --from-plan/)
    const missing = await run('pull', '--from-plan', at('nothing.json'))
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/--from-plan: no such file.*ERR_SOURCE_NOT/),
    })
    await wrong(['pull', '--from-plan', directory.path], /--from-plan: .* is a directory/)
  })

  test('a file that is no plan says where', async () => {
    writeFileSync(at('plan.json'), '{"kind":"pull","version":1}')
    const { code, stderr } = await run('pull', '--from-plan', at('plan.json'))
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'layerstore: not a plan: must be a string (at reference) (ERR_INVALID_ARGUMENT)\n',
    })
  })
})
