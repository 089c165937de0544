import { afterAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import {
  createFaultyRegistry,
  type FaultCondition,
  type FaultyRegistry,
  type RegistryFault,
} from '../../lib/testing/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { startTokenServer } from '../helpers/start-token-server.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

const LAYER = 40_000
const PIECE = 20_000
const image = twentyLayers(LAYER)
const total = image.blobs.reduce((sum, { bytes }) => sum + bytes.length, image.manifest.bytes.length)
const user = { username: 'ann', password: 'a secret' }
const twice: Record<string, number> = {}
afterAll(() => {
  for (const [what, bytes] of Object.entries(twice)) console.info(`moved twice, ${what}: ${bytes} of ${total} bytes`)
})

/**
 * Starts a registry that sends callers without a token to its token service, as Docker's registry does. With
 * `expiring`, all tokens expire after that number of requests about blobs.
 */
const guarded = async (options: Parameters<typeof createFaultyRegistry>[0] = {}, expiring = 0) => {
  let blobs = 0
  const tokens = await startTokenServer({ users: { ann: user.password }, isPublic: () => false })
  const registry = await createFaultyRegistry({
    ...options,
    challenge: ({ authorization, method, path }) => {
      if (path.includes('/blobs/') && authorization !== undefined && ++blobs === expiring) tokens.expire()
      const actions = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push'
      return path.startsWith('/v2/app/') ? tokens.challenge(authorization, `repository:app:${actions}`) : undefined
    },
  })
  const client = registryClientFor({
    credentials: { [registry.host]: user },
    timeouts: { idleMs: 300, answerMs: 2000, uploadAnswerMs: 2000 },
  })
  const close = async () => {
    await client.close()
    await registry.close()
    await tokens[Symbol.asyncDispose]()
  }
  return { tokens, registry, client, [Symbol.asyncDispose]: close }
}

/** Expects that the other origin received no credential, and the registry no password of its token service. */
const expectNoLeak = ({ seen }: FaultyRegistry) => {
  const secret = Buffer.from(`${user.username}:${user.password}`).toString('base64')
  for (const { origin, path, authorization, headers } of seen) {
    if (origin === 'elsewhere') expect([authorization, headers.cookie]).toEqual([undefined, undefined])
    if (path.startsWith('/v2/')) expect(JSON.stringify(headers)).not.toContain(secret)
  }
}

const sourceStore = async () => {
  const store = createMemoryStore()
  for (const { bytes } of image.blobs) await store.put(bytes)
  await store.put(image.manifest.bytes)
  await store.references.set('app:1', image.manifest.descriptor)
  return store
}
const expectOnlyRightBlobs = async (store: Store) => {
  for await (const { digest } of store.list()) expect(await digestOf(store.read(digest))).toBe(digest)
}

/**
 * Pulls the image while the registry misbehaves. Resolves to the outcome and the number of bytes received more than
 * once.
 */
const pull = async (faults: readonly (readonly [RegistryFault, FaultCondition])[], remote: Store, expiring = 0) => {
  await using set = await guarded({ store: remote }, expiring)
  for (const [fault, condition] of faults) set.registry.misbehave(fault, condition)
  const store = createMemoryStore()
  const reference = `${set.registry.host}/app:1`
  const failure = await planPull(set.client, store, reference)
    .then(plan => runPull(plan))
    .then(
      () => undefined,
      (error: unknown) => error,
    )
  await expectOnlyRightBlobs(store)
  if (failure === undefined) {
    for (const { descriptor } of image.blobs) expect(await store.stat(descriptor.digest)).toBeDefined()
    expect(await store.references.get(`${set.registry.host}/app:1`)).toMatchObject(image.manifest.descriptor)
  } else expect(await store.references.get(`${set.registry.host}/app:1`)).toBeUndefined()
  expectNoLeak(set.registry)
  const sent = set.registry.seen.reduce((sum, request) => sum + (request.fault === 'answer' ? 0 : request.sent), 0)
  const done = set.registry.seen.filter(({ fault }) => fault !== undefined).length
  return {
    failure: failure as { code?: string } | undefined,
    twice: Math.max(0, sent - total),
    done,
    tokens: set.tokens.seen.length,
  }
}

/** Pushes the image in pieces while the registry misbehaves. */
const push = async (faults: readonly (readonly [RegistryFault, FaultCondition])[], expiring = 0) => {
  const remote = createMemoryStore()
  await using set = await guarded({ store: remote }, expiring)
  const { registry, client } = set
  for (const [fault, condition] of faults) registry.misbehave(fault, condition)
  const failure = await pushAll(client, registry.host).then(
    () => undefined,
    (error: unknown) => error,
  )
  await expectOnlyRightBlobs(remote)
  const isThere = (await remote.references.get('app:1')) !== undefined
  if (failure === undefined) expect(isThere).toBe(true)
  if (isThere) for (const { descriptor } of image.blobs) expect(await remote.stat(descriptor.digest)).toBeDefined()
  expectNoLeak(registry)
  const received = registry.seen.reduce((sum, request) => sum + request.received, 0)
  const done = registry.seen.filter(({ fault }) => fault !== undefined).length
  return {
    failure: failure as { code?: string } | undefined,
    twice: Math.max(0, received - total),
    done,
    remote,
    tokens: set.tokens.seen.length,
  }
}
const pushAll = async (client: RegistryClient, host: string) => {
  const to = { registry: host, repository: 'app' }
  const sendBlob = ({ bytes, descriptor }: (typeof image.blobs)[number]) => {
    const openAt = async function* (offset: number) {
      for (let at = offset; at < bytes.length; at += 30_000) yield bytes.subarray(at, at + 30_000)
    }
    return client.pushBlob(to, descriptor, () => openAt(0), { openAt, chunkBytes: PIECE })
  }
  const ended = await Promise.allSettled(image.blobs.map(sendBlob))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  await client.pushManifest(to, image.manifest, '1')
}

const aBlob = (n: number): FaultCondition => ({
  method: 'GET',
  path: new RegExp(`/blobs/${image.layers[n]!.descriptor.digest}`),
})
const cutThen = (fault: RegistryFault): (readonly [RegistryFault, FaultCondition])[] => [
  [{ kind: 'cut', after: LAYER / 2 }, aBlob(7)],
  [fault, aBlob(7)],
]

describe('a pull of twenty layers from a registry that misbehaves', () => {
  const cases: [string, (readonly [RegistryFault, FaultCondition])[], string?][] = [
    ['cuts a layer', [[{ kind: 'cut', after: 12_345 }, aBlob(3)]]],
    ['resets the connection of a layer', [[{ kind: 'cut', after: 12_345, reset: true }, aBlob(3)]]],
    [
      'cuts the manifest',
      [
        [
          { kind: 'cut', after: 100 },
          { method: 'GET', path: /manifests/ },
        ],
      ],
    ],
    [
      'cuts every layer twice',
      [
        [
          { kind: 'cut', after: 50_000 },
          { path: /blobs/, times: 42 },
        ],
      ],
    ],
    ['changes a byte once', [[{ kind: 'flip', at: 77 }, aBlob(3)]], 'ERR_DIGEST_MISMATCH'],
    [
      'changes a byte every time',
      [
        [
          { kind: 'flip', at: 77 },
          { ...aBlob(3), times: 99 },
        ],
      ],
      'ERR_DIGEST_MISMATCH',
    ],
    [
      'changes a byte of the manifest',
      [
        [
          { kind: 'flip', at: 5 },
          { method: 'GET', path: /manifests/ },
        ],
      ],
      'ERR_DIGEST_MISMATCH',
    ],
    ['gives a layer that is too short', [[{ kind: 'short-body', by: 1 }, aBlob(3)]], 'ERR_SIZE_MISMATCH'],
    ['gives the wrong part', cutThen({ kind: 'wrong-content-range', value: `bytes 0-99999/${LAYER}` })],
    [
      'gives a part of something else',
      cutThen({ kind: 'wrong-content-range', value: `bytes 100000-199999/${LAYER + 1}` }),
    ],
    ['ignores the range', cutThen({ kind: 'ignore-range' })],
    ['says that there is no such range', cutThen({ kind: 'answer', status: 416 })],
    ['is slow', [[{ kind: 'slow', bytesPerSecond: 1_000_000 }, aBlob(3)]]],
    ['stalls', [[{ kind: 'stall', after: 1000 }, aBlob(3)]]],
    ['demands credentials in the middle', [[{ kind: 'unauthorized', challenge: 'Bearer realm="x"' }, aBlob(3)]], 'ERR'],
    ['refuses in the middle', [[{ kind: 'unauthorized' }, aBlob(3)]], 'ERR_UNAUTHORIZED'],
    ['limits until a date', [[{ kind: 'too-many-requests', retryAfter: new Date(Date.now() + 500) }, aBlob(3)]]],
    ['limits for long', [[{ kind: 'too-many-requests', retryAfter: 3600 }, aBlob(3)]], 'ERR_RATE_LIMITED'],
    ['redirects every layer to another host', [[{ kind: 'redirect' }, { path: /blobs/, times: 99 }]]],
    [
      'redirects to the metadata service',
      [[{ kind: 'redirect', to: 'http://169.254.169.254/' }, aBlob(3)]],
      'ERR_BLOCKED_URL',
    ],
    [
      'redirects in a circle',
      [
        [
          { kind: 'redirect', to: '/v2/app/x' },
          { path: /./, skip: 6, times: 99 },
        ],
      ],
      'ERR_PROTOCOL',
    ],
    [
      'names another digest',
      [[{ kind: 'wrong-digest-header' }, { method: 'GET', path: /manifests/ }]],
      'ERR_DIGEST_MISMATCH',
    ],
    [
      'fails',
      [
        [
          { kind: 'answer', status: 502 },
          { path: /./, skip: 3, times: 3 },
        ],
      ],
    ],
    [
      'fails for good',
      [
        [
          { kind: 'answer', status: 500 },
          { ...aBlob(3), times: 99 },
        ],
      ],
      'ERR_REGISTRY',
    ],
  ]
  test.each(cases)('that %s ends right, or with its error', async (name, faults, code) => {
    const { failure, twice: more, done } = await pull(faults, await sourceStore())
    expect(done).toBeGreaterThan(0)
    // A retry may repair wrong bytes.
    if (name === 'changes a byte once') expect([undefined, code]).toContain(failure?.code)
    else if (code === undefined) expect(failure).toBeUndefined()
    else expect(failure?.code).toMatch(code)
    twice[`pull, ${name}`] = more
  })

  test('that lets the token expire in the middle ends right', async () => {
    const { failure, tokens } = await pull([], await sourceStore(), 9)
    expect(failure).toBeUndefined()
    expect(tokens).toBe(2)
  })
})

describe('a push of twenty layers to a registry that misbehaves', () => {
  const patch = (skip = 5): FaultCondition => ({ method: 'PATCH', skip })
  const cases: [string, (readonly [RegistryFault, FaultCondition])[], string?][] = [
    ['breaks off in a piece', [[{ kind: 'cut-request', after: 40_000 }, patch()]]],
    ['breaks off before a piece', [[{ kind: 'cut-request', after: 0 }, patch()]]],
    ['keeps the answer to a piece to itself', [[{ kind: 'lost-answer' }, patch()]]],
    [
      'keeps the answer to the last request of a blob to itself',
      [[{ kind: 'lost-answer' }, { method: 'PUT', path: /uploads/ }]],
    ],
    ['loses an upload', [[{ kind: 'lost-upload' }, patch()]]],
    ['loses an upload at its end', [[{ kind: 'lost-upload' }, { method: 'PUT', path: /uploads/, skip: 2 }]]],
    ['gives addresses without a host', [[{ kind: 'location', value: 'relative' }, { times: 999 }]]],
    [
      'gives addresses at another host',
      [
        [
          { kind: 'location', value: 'elsewhere' },
          { method: 'POST', times: 99 },
        ],
      ],
    ],
    [
      'gives an address at the metadata service',
      [[{ kind: 'location', value: 'http://169.254.169.254/' }, patch()]],
      'ERR_BLOCKED_URL',
    ],
    ['gives no address once', [[{ kind: 'location', value: 'none' }, { method: 'POST' }]]],
    [
      'gives no address',
      [
        [
          { kind: 'location', value: 'none' },
          { method: 'POST', times: 99 },
        ],
      ],
      'ERR_PROTOCOL',
    ],
    ['refuses in the middle', [[{ kind: 'unauthorized' }, patch()]], 'ERR_UNAUTHORIZED'],
    ['limits until a date', [[{ kind: 'too-many-requests', retryAfter: new Date(Date.now() + 1500) }, patch()]]],
    ['limits for long', [[{ kind: 'too-many-requests', retryAfter: 3600 }, patch()]], 'ERR_RATE_LIMITED'],
    ['redirects a piece to another host', [[{ kind: 'redirect' }, patch()]]],
    [
      'keeps something else',
      [[{ kind: 'wrong-digest-header' }, { method: 'PUT', path: /uploads/ }]],
      'ERR_DIGEST_MISMATCH',
    ],
    [
      'keeps another manifest',
      [[{ kind: 'wrong-digest-header' }, { method: 'PUT', path: /manifests/ }]],
      'ERR_DIGEST_MISMATCH',
    ],
    ['says nothing of how far an upload is', [[{ kind: 'answer', status: 202 }, patch()]]],
    ['says that a piece does not fit', [[{ kind: 'answer', status: 416 }, patch()]]],
    [
      'fails',
      [
        [
          { kind: 'answer', status: 503 },
          { path: /./, skip: 9, times: 3 },
        ],
      ],
    ],
    [
      'fails for good',
      [
        [
          { kind: 'answer', status: 500 },
          { method: 'PUT', path: /manifests/, times: 99 },
        ],
      ],
      'ERR_REGISTRY',
    ],
  ]
  test.each(cases)('that %s ends right, or with its error', async (name, faults, code) => {
    const { failure, twice: more, done, remote } = await push(faults)
    expect(done).toBeGreaterThan(0)
    // After a failure the registry has only what it accepted before it denied.
    const isThere = (await remote.references.get('app:1')) !== undefined
    expect(isThere).toBe(code === undefined || name === 'keeps another manifest')
    if (code === undefined) expect(failure).toBeUndefined()
    else expect(failure?.code).toMatch(code)
    twice[`push, ${name}`] = more
  })

  test('that lets the token expire in the middle ends right', async () => {
    const { failure, tokens } = await push([], 33)
    expect(failure).toBeUndefined()
    expect(tokens).toBe(2)
  })
})

test('HT-27: a list that links to itself ends', async () => {
  await using set = await guarded({ store: await sourceStore() })
  set.registry.misbehave({ kind: 'link-loop' }, { path: /tags/, times: 99 })
  const tags: string[] = []
  for await (const tag of set.client.listTags({ registry: set.registry.host, repository: 'app' })) tags.push(tag)
  expect(tags).toEqual(['1'])
})

test('HT-12: wrong bytes of the right length are never visible, and asked for twice at most', async () => {
  await using set = await guarded({ store: await sourceStore() })
  const { registry, client } = set
  registry.misbehave({ kind: 'flip', at: 77 }, { ...aBlob(3), times: 99 })
  const store = createMemoryStore()
  const repository = { registry: registry.host, repository: 'app' }
  const { descriptor } = image.layers[3]!
  let again = true
  for (; again; again = client.distrustBlob(repository, descriptor.digest)) {
    await using writer = await store.ingest('x')
    for (const chunk of [await readAll(client.fetchBlob(repository, descriptor))]) await writer.write(chunk)
    await expect(writer.commit(descriptor)).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    await writer.abort()
  }
  expect(await store.stat(descriptor.digest)).toBeUndefined()
  expect(registry.seen.filter(({ fault }) => fault === 'flip')).toHaveLength(2)
})
