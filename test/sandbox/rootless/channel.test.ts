import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LimitError, SandboxError } from '../../../lib/errors/index.ts'
import { namespaceIds } from '../../../lib/sandbox/executors/process/namespace-ids.ts'
import { Channel } from '../../../lib/sandbox/rootless/channel/channel.ts'
import type { Message, Port } from '../../../lib/sandbox/rootless/channel/message.ts'
import type { CallContext, Handlers } from '../../../lib/sandbox/rootless/channel/responder.ts'
import { howToGiveIds, readIdRanges } from '../../../lib/sandbox/rootless/id-ranges.ts'
import { mapOf } from '../../../lib/sandbox/rootless/map-ids.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const none: Handlers = { calls: {}, streams: {} }

/** Two ports that are connected; messages are cloned, and arrive later. */
function portPair(): [Port, Port] {
  const listeners: ((message: Message) => void)[] = []
  const port = (own: number, other: number): Port => ({
    send: message => void setImmediate(cloned => listeners[other]?.(cloned), structuredClone(message)),
    listen: onMessage => {
      listeners[own] = onMessage
    },
  })
  return [port(0, 1), port(1, 0)]
}

function connect(handlers: Handlers): Channel {
  const [near, far] = portPair()
  new Channel(far, handlers)
  return new Channel(near, none)
}

test('a call gets its result, what is reported before it, and errors with their class', async () => {
  const channel = connect({
    streams: {},
    calls: {
      double: async ({ n }: { n: number }, { report }: CallContext) => {
        report('working')
        return n * 2
      },
      fail: async () => {
        const cause = new LimitError('bytes', { limit: 1, actual: 2 })
        throw new SandboxError('ERR_SANDBOX_MOUNT', 'no mount', { cause })
      },
    },
  })
  const reported: string[] = []
  const onEvent = (text: string) => void reported.push(text)
  expect(await channel.call('double', { n: 21 }, { onEvent })).toBe(42)
  expect(reported).toEqual(['working'])
  const error = await thrownBy(() => channel.call('fail', {}))
  expect(error).toBeInstanceOf(SandboxError)
  expect(SandboxError.is(error)).toBe(true)
  expect(error).toMatchObject({ code: 'ERR_SANDBOX_MOUNT', message: 'no mount', cause: expect.any(LimitError) })
  await expect(channel.call('unknown', {})).rejects.toThrow('no call unknown')
})

test('an aborted call stops the other side and rejects with the reason', async () => {
  let stopped = false
  const channel = connect({
    streams: {},
    calls: {
      wait: (_: unknown, { signal }: CallContext) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            stopped = true
            reject(signal.reason)
          })
        }),
    },
  })
  const controller = new AbortController()
  const call = channel.call('wait', {}, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  expect(stopped).toBe(true)
  const waiting = channel.call('wait', {})
  channel.end(new Error('ended'))
  await expect(waiting).rejects.toThrow('ended')
  await expect(channel.call('wait', {})).rejects.toThrow('ended')
})

test('a stream is read in order whatever buffer it uses, and ends early with its reader', async () => {
  const ended: string[] = []
  const buffer = new Uint8Array(1 << 19)
  const channel = connect({
    calls: {},
    streams: {
      async *count() {
        try {
          for (let i = 0; i < 9; i++) yield buffer.fill(i)
        } finally {
          ended.push('count')
        }
      },
    },
  })
  const seen: number[] = []
  for await (const chunk of channel.read('count', {})) seen.push(chunk[7] as number)
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  for await (const _ of channel.read('count', {})) break
  await expect.poll(() => ended).toEqual(['count', 'count'])
})

test('the range to ask for is one that nobody has, and only steps that lack are named', () => {
  using directory = temporaryDirectory('ranges')
  const { username } = userInfo()
  const adviceFor = (users: string, groups: string, hasMappers = true) => {
    const files = { users: join(directory.path, 'users'), groups: join(directory.path, 'groups') }
    writeFileSync(files.users, users)
    writeFileSync(files.groups, groups)
    return howToGiveIds(files, hasMappers)
  }
  const free = (first: number) =>
    `have root write the line ${username}:${first}:65536 to /etc/subuid and to /etc/subgid (usermod --add-subuids ` +
    `${first}-${first + 65_535} --add-subgids ${first}-${first + 65_535} ${username})`
  expect(adviceFor('', '')).toBe(free(100_000))
  expect(adviceFor('other:100000:65536\n', '', false)).toBe(`install the package uidmap, and ${free(165_536)}`)
  expect(adviceFor('b:165536:65536\na:100000:65536\n', 'c:240000:10\n')).toBe(free(240_010))
  expect(adviceFor('a:165536:65536\nb:1:2\n', '')).toBe(free(100_000))
  const own = `${username}:100000:65536\n`
  expect(adviceFor(own, own, false)).toBe('install the package uidmap')
  expect(adviceFor(own, own)).toBe('')
})

test('ranges are those of the user, by name or number, and both files must have one', () => {
  using directory = temporaryDirectory('ranges')
  const file = (name: string, text: string) => {
    writeFileSync(join(directory.path, name), text)
    return join(directory.path, name)
  }
  const { username, uid } = userInfo()
  const users = file('users', `other:1:2\n${username}:100000:65536\nbroken\n${username}:x:1\n`)
  const groups = file('groups', `${uid}:200000:10\n`)
  const own = { users: [{ first: 100_000, count: 65_536 }], groups: [{ first: 200_000, count: 10 }] }
  expect(readIdRanges({ users, groups })).toEqual(own)
  expect(readIdRanges({ users, groups: file('empty', '') })).toEqual({ users: [], groups: [] })
  expect(mapOf(1000, [...own.users, ...own.groups])).toEqual([
    [0, 1000, 1],
    [1, 100_000, 65_536],
    [65_537, 200_000, 10],
  ])
})

test('the ids of a namespace are known by its map', () => {
  expect(namespaceIds('         0          0 4294967295\n')).toBe('all')
  expect(namespaceIds('0 1001 1\n1 100000 65536\n')).toBe('range')
  expect(namespaceIds('0 1001 1\n')).toBe('one')
  expect(namespaceIds('')).toBe('all')
})
