import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AttackPlace } from './attacks/attack.ts'
import { listTree } from './list-tree.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'
import { startUnpackChild, type UnpackAnswer, type UnpackJob } from './start-unpack-child.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { transpileLibrary } from './transpile-library.ts'

/** The user without privileges that children run as when the tests run as root. */
export const NOBODY = 65534
const isRoot = process.geteuid?.() === 0

/** The `spawn` option that makes a child run without privileges; empty if the tests have none themselves. */
export const asNobody: { uid: number; gid: number } | Record<never, never> = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** Gives paths to the user of {@link asNobody}. */
export function giveToNobody(...paths: readonly string[]): void {
  if (isRoot) for (const path of paths) chownSync(path, NOBODY, NOBODY)
}

/** Outcome of an unprivileged unpack. */
export interface NobodyOutcome {
  answer: UnpackAnswer
  /** The target directory. */
  root: string
  /** The directory with a canary that the unpacking user could change. */
  outside: string
  /** Paths beside the root, in the directory that belongs to the user; after a failure the root as well. */
  left: string[]
  /** State of the canaries, if it changed. */
  changed: unknown
}

/** Starts a process that unpacks without privileges; `dispose` ends it. */
export function startNobody(): {
  unpack(
    layers: (place: AttackPlace) => readonly (readonly RawEntry[] | Buffer)[],
    options?: UnpackJob['options'],
    decompress?: UnpackJob['decompress'],
  ): Promise<NobodyOutcome & Disposable>
} & AsyncDisposable {
  const library = transpileLibrary()
  const child = startUnpackChild(library, isRoot ? NOBODY : undefined)
  return {
    async unpack(layers, options, decompress) {
      const place = temporaryDirectory('nobody')
      prepare(place.path)
      const [root, outside] = [join(place.path, 'home/root'), join(place.path, 'outside')]
      const archives = layers({ outside }).map((layer, i) => {
        const path = join(place.path, `${i}.tar`)
        const bytes = Buffer.isBuffer(layer) ? layer : rawTar(layer as readonly RawEntry[])
        writeFileSync(path, bytes, { mode: 0o644 })
        return path
      })
      const canaries = () => ['outside', 'root-evil'].map(name => listTree(join(place.path, name)))
      const before = canaries()
      const job = { archives, target: root, options: { ...options, writer: 'inline' as const } }
      const answer = await child.run({ ...job, ...(decompress && { decompress }) })
      const left = listTree(join(place.path, 'home')).map(({ path }) => path)
      return {
        answer,
        root,
        outside,
        left: answer.code === undefined ? left.filter(path => !/^root(\/|$)/.test(path)) : left,
        changed: JSON.stringify(canaries()) === JSON.stringify(before) ? 'nothing' : canaries(),
        [Symbol.dispose]: () => place[Symbol.dispose](),
      }
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

/** Creates two canaries: one that another user owns, and one that the unpacking user could change. */
function prepare(base: string): void {
  for (const name of ['outside', 'root-evil']) {
    mkdirSync(join(base, name, 'dir'), { recursive: true, mode: 0o755 })
    for (const file of ['secret', 'dir/inner']) writeFileSync(join(base, name, file), 'canary', { mode: 0o644 })
  }
  mkdirSync(join(base, 'home'))
  giveToNobody(join(base, 'home'), ...['', 'secret', 'dir', 'dir/inner'].map(path => join(base, 'outside', path)))
  chmodSync(base, 0o755)
}
