import { randomBytes } from 'node:crypto'
import { readFile, readlink, statfs } from 'node:fs/promises'
import { hostname, uptime } from 'node:os'
import { isErrno } from '../../internal/errno.ts'

/** Who holds something, as plain JSON in a lock file. A field is empty where the platform does not tell. */
export interface Owner {
  readonly pid: number
  /** When the process started, in ticks since boot: tells it from a later process with the same pid. */
  readonly start: string
  /** Identity of this run of the machine. */
  readonly boot: string
  readonly host: string
  /** Identity of the pid namespace: containers may share a host name, but not pids. */
  readonly namespace: string
  readonly created: string
  /** Different for each holding. */
  readonly nonce: string
}

/** A holder on another machine or in another pid namespace is given up after this long without a heartbeat. */
const FOREIGN_STALE_MS = 5 * 60_000
/** SPEC: statfs(2), `f_type`: ext2 to ext4, xfs, btrfs, f2fs, zfs, tmpfs, overlay. One machine at a time can mount each of these. */
const LOCAL_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x794c7630])
/** A record that cannot be read (its writer died while writing it) is given up after this long. */
const UNREADABLE_STALE_MS = 60_000

type Self = Pick<Owner, 'pid' | 'start' | 'boot' | 'host' | 'namespace'>
let self: Self | undefined

/** A record for this process. */
export async function createOwner(): Promise<Owner> {
  return { ...(await thisProcess()), created: new Date().toISOString(), nonce: randomBytes(8).toString('hex') }
}

// PERF: these facts never change while the process lives; reading them costs 0.3 ms.
async function thisProcess(): Promise<Self> {
  const { pid } = process
  self ??= {
    pid,
    start: (await statOf(pid))?.start ?? '',
    boot: await bootId(),
    host: hostname(),
    namespace: await pidNamespace(),
  }
  return self
}

/** Reads a record; `undefined` if it is not one. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner
    const texts = [owner.start, owner.boot, owner.host, owner.namespace, owner.created, owner.nonce]
    const sound = Number.isSafeInteger(owner.pid) && owner.pid > 0 && texts.every(isShortText)
    return sound ? owner : undefined
  } catch {
    return undefined
  }
}

/** SAFETY: what a record says is shown to people. */
function isShortText(member: unknown): boolean {
  return typeof member === 'string' && member.length <= 256
}

/** What is known of a holder for certain. */
export type Life = 'gone' | 'alive' | 'unknown'

/**
 * Whether a holder is gone for certain. `silentMs`: time since its last sign of life, by the clock of the file system.
 *
 * SAFETY: a process that merely sleeps (a stopped debugger, a suspended laptop) is alive and keeps what it holds.
 */
export async function isGone(owner: Owner | undefined, silentMs: number, directory: string): Promise<boolean> {
  if (!owner) return silentMs > UNREADABLE_STALE_MS
  const life = await lifeOf(owner, silentMs, directory)
  return life === 'unknown' ? silentMs > FOREIGN_STALE_MS : life === 'gone'
}

/** What is known of a holder whose record is in this directory. */
export async function lifeOf(owner: Owner, silentMs: number, directory: string): Promise<Life> {
  const here = await thisProcess()
  if (owner.host !== here.host || owner.namespace !== here.namespace) return 'unknown'
  if (owner.boot !== here.boot) return (await isOfEarlierBoot(silentMs, directory)) ? 'gone' : 'unknown'
  const stat = owner.start === '' ? undefined : await statOf(owner.pid)
  // Without /proc, or where it hides the processes of other users, the pid alone says who may be alive.
  if (!stat) return isAlive(owner.pid) ? 'unknown' : 'gone'
  return stat.start === owner.start && !hasEnded(stat) ? 'alive' : 'gone'
}

/**
 * Whether a record with another boot id is from before this machine was started.
 *
 * SAFETY: another boot id also means another machine: cloned virtual machines have one host name, and may share a file
 * system. Two things prove that it is this machine: no other one can have written to this file system, and nothing was
 * written to the record since this machine runs.
 */
async function isOfEarlierBoot(silentMs: number, directory: string): Promise<boolean> {
  if (silentMs < uptime() * 1000) return false
  const stats = await statfs(directory).catch(() => undefined)
  return stats !== undefined && LOCAL_FILE_SYSTEMS.has(stats.type)
}

/** Says who holds something, for people. */
export function describeOwner(owner: Owner | undefined): string {
  return owner ? `process ${owner.pid} on ${owner.host} since ${owner.created}` : 'another process'
}

/** Says what to do about a holder that is waited for, for people. */
export async function adviseOn(owner: Owner | undefined): Promise<string> {
  if (!owner) return 'its record cannot be read; the lock is taken over after a minute without a sign of life'
  if (!(await isOfThisMachine(owner))) {
    const minutes = FOREIGN_STALE_MS / 60_000
    return `it is on another machine or in another container; the lock is taken over after ${minutes} minutes without a sign of life`
  }
  return (await isStopped(owner.pid))
    ? `it is stopped; let it go on with "kill -CONT ${owner.pid}" or end it with "kill -KILL ${owner.pid}"`
    : `it is running; wait until it is done or end it with "kill ${owner.pid}"`
}

async function isOfThisMachine({ host, namespace, boot }: Owner): Promise<boolean> {
  const here = await thisProcess()
  return host === here.host && namespace === here.namespace && boot === here.boot
}

interface ProcessStat {
  readonly state: string
  /** In ticks since the machine was started. */
  readonly start: string
}

/** SPEC: proc(5): the name of the program may hold anything; behind it stand the state and, as 20th field, the start time. */
async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields && { state: fields[0] ?? '', start: fields[19] ?? '' }
}

/** A zombie holds nothing any more; it only waits for its parent to look at it. */
function hasEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X'
}

/** Whether a signal or a debugger has stopped a process. */
async function isStopped(pid: number): Promise<boolean> {
  const { state } = (await statOf(pid)) ?? {}
  return state === 'T' || state === 't'
}

async function bootId(): Promise<string> {
  return (await readIfThere('/proc/sys/kernel/random/boot_id'))?.trim() ?? ''
}

async function pidNamespace(): Promise<string> {
  try {
    return await readlink('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'ENOTDIR')) return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isErrno(error, 'ESRCH')
  }
}
