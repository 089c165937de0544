import type { OpenObjectStoreOptions } from '../../lib/object-store/index.ts'
import { type MemoryS3, startMemoryS3 } from './memory-s3.ts'
import { type S3Fault, type S3Proxy, startS3Proxy } from './s3-proxy.ts'

/** A server in memory behind a proxy that does harm. */
export interface FaultyBucket extends AsyncDisposable {
  readonly server: MemoryS3
  readonly proxy: S3Proxy
  /** Does a fault to one request in so many, and at most four to requests of one kind: the fifth try succeeds. */
  harm(fault: S3Fault, every: number): void
  /** Options of a store with short pauses, through the proxy unless another address is given. */
  place(endpoint?: string): OpenObjectStoreOptions
  /** Waits of stores that are opened from now on are short, for services that hang. */
  hurry(): void
}

/** Each fault, and how often it is done: to one request in so many. */
export const EVERY_FAULT: readonly (readonly [S3Fault, number])[] = [
  ['lose', 3],
  ['half-written', 3],
  [503, 3],
  ['half', 3],
  ['delay', 5],
  ['cut', 3],
  ['repeat', 3],
  ['twice', 3],
  ['hang', 40],
  [409, 3],
  [500, 3],
]

/** Starts both. */
export async function startFaultyBucket(): Promise<FaultyBucket> {
  const server = await startMemoryS3()
  const proxy = await startS3Proxy(server.endpoint)
  // A busy machine answers late.
  let answerMs = 20_000
  const hurry = () => {
    answerMs = 800
  }
  return {
    server,
    proxy,
    hurry,
    harm(fault, every) {
      if (fault === 'hang') hurry()
      harm(proxy, fault, every)
    },
    place: (endpoint = proxy.endpoint) => ({
      endpoint,
      bucket: server.bucket,
      region: server.settings.region,
      credentials: server.settings.key,
      // It saves its state with parts.
      hasher: 'wasm',
      partSize: 5 * 1024 * 1024,
      retry: { tries: 5, baseDelayMs: 2, maxDelayMs: 10 },
      timeouts: { connectMs: 20_000, answerMs, idleMs: answerMs },
    }),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

function harm(proxy: S3Proxy, fault: S3Fault, every: number): void {
  const done = new Map<string, number>()
  let count = 0
  proxy.fault = ({ method, url }) => {
    const kind = `${method} ${url}`
    const before = done.get(kind) ?? 0
    if (++count % every !== 0 || before === 4) return undefined
    done.set(kind, before + 1)
    return fault
  }
}
