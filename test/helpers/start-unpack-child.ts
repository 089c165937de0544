import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DecompressOptions } from '../../lib/compression/index.ts'
import type { UnpackOptions } from '../../lib/rootfs/index.ts'
import { nodeForAnyone } from './node-for-anyone.ts'

/** A request to an unpacking process. */
export interface UnpackJob {
  archives: readonly string[]
  target: string
  options?: Omit<UnpackOptions, 'signal' | 'onProgress' | 'onLeft'>
  /** Set if the archives are compressed: options to decompress them. */
  decompress?: Omit<DecompressOptions, 'signal'>
}

/** Its answer. */
export interface UnpackAnswer {
  counts?: Record<string, number>
  skipped?: string[]
  code?: string
  message?: string
}

/** Starts a process that unpacks the requested archives, as another user if one is given. */
export function startUnpackChild(
  library: string,
  user?: number,
): { process: ChildProcess; run(job: UnpackJob): Promise<UnpackAnswer> } & AsyncDisposable {
  const script = join(import.meta.dirname, 'unpack-child.mjs')
  const node = nodeForAnyone()
  const child = spawn(node.path, [script, library], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...(user !== undefined && { uid: user, gid: user }),
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    process: child,
    async run(job) {
      child.stdin.write(`${JSON.stringify({ options: {}, ...job })}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('the unpacking process has ended')
      return JSON.parse(value) as UnpackAnswer
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve))
      node[Symbol.dispose]()
    },
  }
}
