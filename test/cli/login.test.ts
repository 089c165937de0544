import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allowUsers } from '../../lib/server/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let server: Awaited<ReturnType<typeof serveStore>>
beforeEach(async () => {
  place = temporaryDirectory('login')
  server = await serveStore(createMemoryStore(), { authorize: allowUsers({ me: 'right' }) })
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const env = () => ({ DOCKER_CONFIG: place.path, PATH: process.env.PATH })
const run = (args: string[], input?: string) =>
  cli(args, {
    env: env(),
    store: join(place.path, 'store'),
    ...(input === undefined ? {} : { stdin: Readable.from([Buffer.from(input)]) }),
  })

test('login keeps a password that the registry takes, which later commands use, until logout', async () => {
  const { host } = server
  expect((await run(['tags', `${host}/app`])).code).toBe(1)
  const made = await run(['login', host, '-u', 'me', '--password-stdin'], 'right\n')
  expect(made).toMatchObject({ code: 0, stdout: `logged in to ${host} as me\n` })
  expect(made.stderr).toContain('not encrypted')
  expect(readFileSync(join(place.path, 'config.json'), 'utf8')).toContain(host)
  const unknown = await run(['tags', `${host}/app`])
  expect(unknown.stderr).not.toContain('ERR_UNAUTHORIZED')
  expect(await run(['logout', host])).toMatchObject({ code: 0, stdout: `logged out of ${host}\n` })
  expect(await run(['logout', host])).toMatchObject({ code: 0, stdout: `there was no login for ${host}\n` })
  expect((await run(['tags', `${host}/app`])).stderr).toContain('ERR_UNAUTHORIZED')
})

test('login keeps nothing of a password that the registry refuses, and shows it nowhere', async () => {
  const secret = createHash('sha256').update('wrong').digest('hex')
  const { code, stdout, stderr } = await run(['login', server.host, '-u', 'me', '--password-stdin'], secret)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('ERR_UNAUTHORIZED')
  expect(stderr).not.toContain(secret)
  expect(() => readFileSync(join(place.path, 'config.json'))).toThrow('ENOENT')
})

describe('login refuses', () => {
  test.each([
    [['--password-stdin'], 'x', 'login needs a user'],
    [['-u', 'me'], 'x', '--password-stdin'],
    [['-u', 'me', '--password-stdin'], '', 'must hold one line'],
    [['-u', 'me', '--password-stdin'], 'a\nb\n', 'must hold one line'],
    [['-u', 'me', '--password-stdin'], 'x'.repeat(70_000), 'more than a password'],
  ])('%j with stdin %j', async (options, input, message) => {
    const { code, stderr } = await run(['login', server.host, ...options], input)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
  })

  test.each(['https://ghcr.io', 'ghcr.io/o/app', 'a b'])('%s in the place of a registry', async registry => {
    const { code, stderr } = await run(['login', registry, '-u', 'me', '--password-stdin'], 'x')
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is no registry') })
  })
})
