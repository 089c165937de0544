import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveCommit } from '../../lib/build/git/resolve-commit.ts'
import { writeGitHome } from '../../lib/build/git/run-git.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const hasGit = needsProgram('git')
let directory: ReturnType<typeof temporaryDirectory>
let home: string
beforeAll(async () => {
  directory = temporaryDirectory('silent-git')
  home = join(directory.path, 'home')
  await writeGitHome(home)
})
afterAll(() => directory[Symbol.dispose]())

/** A server that accepts every connection, and says nothing. */
async function silentServer() {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket
      .on('error', () => {})
      .on('data', () => {})
      .on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    /** Resolves when no client is connected any more. */
    left: async () => {
      for (const socket of sockets) if (!socket.destroyed) await once(socket, 'close')
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

describe.runIf(hasGit)('a git server that says nothing', () => {
  test.each(['git', 'http'])('ends a call over %s with the address and the time, and git with it', async protocol => {
    await using server = await silentServer()
    const git = `${protocol}://127.0.0.1:${server.port}/x.git`
    const error = await thrownBy(() => resolveCommit({ git }, { home, silentMs: 300 }))
    expect(error).toMatchObject({ code: 'ERR_BUILD_FETCH' })
    expect(error.message).toMatch(
      /its server sent nothing for 0\.3 s \(git ls-remote\); check the address, or try again$/,
    )
    await server.left()
  })

  test('is named without the password that git takes for a part of the host', async () => {
    const error = await thrownBy(() => resolveCommit({ git: 'git://user:secret@127.0.0.1:1/x.git' }, { home }))
    expect(error.message).toContain('xxxxx:xxxxx@127.0.0.1:1')
    expect(error.message).not.toContain('secret')
  })

  test('does not hold a call that is aborted, and no process is left', async () => {
    await using server = await silentServer()
    const controller = new AbortController()
    server.server.once('connection', () => controller.abort(new Error('stop')))
    const source = { git: `git://127.0.0.1:${server.port}/x.git` }
    await expect(resolveCommit(source, { home, signal: controller.signal })).rejects.toThrow('stop')
    await server.left()
  })
})
