import { randomBytes } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
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
    start: (await processStart(pid)) ?? '',
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
    const sound = Number.isSafeInteger(owner.pid) && owner.pid > 0 && texts.every(member => typeof member === 'string')
    return sound ? owner : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether a holder is gone for certain. `ageMs`: time since its last heartbeat, by the clock of the file system.
 *
 * SAFETY: a process that merely sleeps (a stopped debugger, a suspended laptop) is alive and keeps what it holds.
 */
export async function isGone(owner: Owner | undefined, ageMs: number): Promise<boolean> {
  if (!owner) return ageMs > UNREADABLE_STALE_MS
  const here = await thisProcess()
  if (owner.host !== here.host || owner.namespace !== here.namespace) return ageMs > FOREIGN_STALE_MS
  if (owner.boot !== here.boot) return true
  if (owner.start === '') return !isAlive(owner.pid) || ageMs > FOREIGN_STALE_MS
  return (await processStart(owner.pid)) !== owner.start
}

/** Says who holds something, for people. */
export function describeOwner(owner: Owner | undefined): string {
  return owner ? `process ${owner.pid} on ${owner.host} since ${owner.created}` : 'another process'
}

/** SPEC: proc(5): the name of the program may hold anything; start time is the 20th field after it, state the first. */
async function processStart(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie holds nothing any more; it only waits for its parent to look at it.
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
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
