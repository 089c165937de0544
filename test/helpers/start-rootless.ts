import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutorName } from '../../lib/sandbox/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { makeBusyboxRoot } from './busybox-root.ts'
import type { PlainUser } from './plain-users.ts'

/** What a child builds. */
export interface RootlessJob {
  readonly dockerfile: string
  /** Layers on the base, which has a shell. */
  readonly layers?: readonly (readonly TarInput[])[]
  /** The context. */
  readonly files?: Readonly<Record<string, string>>
  /** The executor. @defaultValue the first one that works */
  readonly executor?: ExecutorName
  /** Options of the build. */
  readonly options?: object
  /** True if unpacked layers are collected after the build. */
  readonly collect?: boolean
  /** True if the snapshots are removed after the build. */
  readonly remove?: boolean
}

/** What a child prints. */
export interface RootlessOutcome {
  works?: boolean
  reason?: string
  note?: string
  output: string
  digest?: string
  dropped?: number
  kept?: number
  entries?: string[]
  error?: { code?: string; message: string }
}

/** A child that builds. */
export interface RootlessChild {
  readonly child: ChildProcess
  /** Resolves when the output of a step has a text. */
  printed(text: string): Promise<void>
  /** Resolves when the child has ended. */
  readonly ended: Promise<RootlessOutcome>
}

/** Files of the tests of one user: a base, and a store of its own. */
export function rootlessPlace(directory: string, user: PlainUser, jobName = 'store') {
  const at = (name: string) => join(directory, name)
  mkdirSync(directory, { recursive: true })
  if (!existsSync(at('base'))) makeBusyboxRoot(at('base'))
  for (const path of [directory, at('base'), at('base/bin'), at('base/etc')]) chmodSync(path, 0o755)
  if (process.getuid?.() === 0) chownSync(directory, user.uid, user.gid)
  return { path: directory, store: at(jobName), snapshots: at(`${jobName}-snapshots`) }
}

/** Starts a build as a user. */
export function startRootless(
  { program, node, before = [] }: { program: string; node: string; before?: readonly string[] },
  place: ReturnType<typeof rootlessPlace>,
  user: PlainUser,
  job: RootlessJob,
): RootlessChild {
  const file = join(place.path, `job-${Math.random()}.json`)
  writeFileSync(file, JSON.stringify({ ...job, root: join(place.path, 'base'), store: place.store }), { mode: 0o644 })
  const [command = node, ...args] = [...before, node, program, file]
  const identity = process.getuid?.() === 0 ? { uid: user.uid, gid: user.gid } : {}
  const child = spawn(command, args, {
    ...identity,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: place.path, TOKEN: 'hidden-token' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const outcome: RootlessOutcome = { output: '' }
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', line => {
    const { output, ...more } = JSON.parse(line) as RootlessOutcome
    outcome.output += output ?? ''
    Object.assign(outcome, more)
    for (const look of waiting) look()
  })
  const ended = new Promise<RootlessOutcome>(resolve => child.once('close', () => resolve(outcome)))
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => outcome.output.includes(text) && resolve()
      waiting.add(look)
      look()
      void ended.then(() => reject(new Error(`ended without ${text}: ${JSON.stringify(outcome)}`)))
    })
  return { child, printed, ended }
}
