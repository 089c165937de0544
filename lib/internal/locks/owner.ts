import { randomBytes } from 'node:crypto'
import { hostname, uptime } from 'node:os'
import { isErrno } from '../errno.ts'

/**
 * Identity of a process that holds a lock, as plain JSON in the lock file. A field is empty if the platform does not
 * tell.
 */
export interface Owner {
  /** Process id. */
  readonly pid: number
  /** Start time of the process, in ticks since boot: distinguishes it from a later process with the same pid. */
  readonly start: string
  /** Boot id of the machine. */
  readonly boot: string
  /** Host name of the machine. */
  readonly host: string
  /** Identity of the pid namespace: containers may share a host name, but not pids. */
  readonly namespace: string
  /** Time of the acquisition, RFC 3339. */
  readonly created: string
  /** Unique for each acquisition. */
  readonly nonce: string
}

/** Time without a heartbeat after which a holder on another machine or in another pid namespace counts as dead. */
const FOREIGN_STALE_MS = 5 * 60_000
/**
 * SPEC: statfs(2), `f_type`: ext2 to ext4, xfs, btrfs, f2fs, zfs, tmpfs, overlay. Only one machine at a time can mount
 * them.
 */
const LOCAL_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x794c7630])
/** Time after which an unreadable record (its writer died while writing it) counts as abandoned. */
const UNREADABLE_STALE_MS = 60_000

// NODE: programs without a disk import the room of stores, which describes the holders of leases.
const files = () => import('node:fs/promises')

type Self = Pick<Owner, 'pid' | 'start' | 'boot' | 'host' | 'namespace'>
let self: Self | undefined

/** Creates a record of this process. */
export async function createOwner(): Promise<Owner> {
  return { ...(await thisProcess()), created: new Date().toISOString(), nonce: randomBytes(8).toString('hex') }
}

/** Creates a record of another process of this machine, which may have ended. */
export async function createOwnerOf(pid: number): Promise<Owner> {
  return { ...(await createOwner()), pid, start: (await statOf(pid))?.start ?? '' }
}

// PERF: cached, because these values never change while the process lives; reading them costs 0.3 ms.
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

/** Parses a record; `undefined` if it is invalid. */
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

/** SAFETY: messages quote the record, which another program may have written; only short texts are accepted. */
function isShortText(member: unknown): boolean {
  return typeof member === 'string' && member.length <= 256
}

/** State of a holder, as far as it is certain. */
export type Life = 'gone' | 'alive' | 'unknown'

/**
 * Whether a holder is certainly dead. `silentMs`: time since its last heartbeat, by the clock of the file system.
 *
 * SAFETY: a process that is suspended (a debugger, a sleeping laptop) will resume and write; taking its lock would let
 * two processes write. It counts as alive and keeps its lock.
 */
export async function isGone(owner: Owner | undefined, silentMs: number, directory: string): Promise<boolean> {
  if (!owner) return silentMs > UNREADABLE_STALE_MS
  const life = await lifeOf(owner, silentMs, directory)
  return life === 'unknown' ? silentMs > FOREIGN_STALE_MS : life === 'gone'
}

/** State of a holder whose record is in this directory. */
export async function lifeOf(owner: Owner, silentMs: number, directory: string): Promise<Life> {
  const here = await thisProcess()
  if (owner.host !== here.host || owner.namespace !== here.namespace) return 'unknown'
  if (owner.boot !== here.boot) return (await isOfEarlierBoot(silentMs, directory)) ? 'gone' : 'unknown'
  const stat = owner.start === '' ? undefined : await statOf(owner.pid)
  // Without /proc, or if it hides the processes of other users, the pid alone shows whether the process may be alive.
  if (!stat) return isAlive(owner.pid) ? 'unknown' : 'gone'
  return stat.start === owner.start && !hasEnded(stat) ? 'alive' : 'gone'
}

/**
 * Whether a record with another boot id was written before this machine booted.
 *
 * SAFETY: another boot id may also mean another machine: cloned virtual machines share a host name and may share a file
 * system, and the lock of a living process would be taken. Two facts prove that it is this machine: no other machine
 * can have mounted this file system, and the record was not written since this boot.
 */
async function isOfEarlierBoot(silentMs: number, directory: string): Promise<boolean> {
  if (silentMs < uptime() * 1000) return false
  const { statfs } = await files()
  const stats = await statfs(directory).catch(() => undefined)
  return stats !== undefined && LOCAL_FILE_SYSTEMS.has(stats.type)
}

/** Human-readable description of a holder. */
export function describeOwner(owner: Owner | undefined): string {
  return owner ? `process ${owner.pid} on ${owner.host} since ${owner.created}` : 'another process'
}

/** Human-readable advice about a holder that blocks an operation. */
export async function adviseOn(owner: Owner | undefined): Promise<string> {
  if (!owner) return 'its record cannot be read; the lock is taken over after a minute without a heartbeat'
  if (!(await isOfThisMachine(owner))) {
    const minutes = FOREIGN_STALE_MS / 60_000
    return `it is on another machine or in another container; the lock is taken over after ${minutes} minutes without a heartbeat`
  }
  return (await isStopped(owner.pid))
    ? `it is stopped; resume it with "kill -CONT ${owner.pid}" or end it with "kill -KILL ${owner.pid}"`
    : `it is running; wait until it is done or end it with "kill ${owner.pid}"`
}

async function isOfThisMachine({ host, namespace, boot }: Owner): Promise<boolean> {
  const here = await thisProcess()
  return host === here.host && namespace === here.namespace && boot === here.boot
}

interface ProcessStat {
  readonly state: string
  /** Start time in ticks since boot. */
  readonly start: string
}

/**
 * SPEC: proc(5): the program name may contain any character; the state and, as 20th field, the start time follow it.
 */
async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields && { state: fields[0] ?? '', start: fields[19] ?? '' }
}

/** Whether a process has ended: a zombie holds no locks and only waits for its parent. */
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
  const { readlink } = await files()
  try {
    return await readlink('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  const { readFile } = await files()
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
