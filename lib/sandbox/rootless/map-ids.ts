import { writeFile } from 'node:fs/promises'
import { SandboxError } from '../../errors/index.ts'
import { findSystemProgram } from '../executors/process/find-system-program.ts'
import { runProgram } from '../executors/process/run-program.ts'
import type { IdRange, IdRanges } from './id-ranges.ts'

/**
 * Maps the ids of a new user namespace: 0 is the current user, 1 and more are its ranges. Without ranges 0 is the only
 * id, and groups cannot be set.
 *
 * @param pid - A process in the namespace.
 * @throws {@link SandboxError} `ERR_SANDBOX_START` if the programs that map ids refuse.
 */
export async function mapIds(pid: number, ranges: IdRanges): Promise<void> {
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  if (ranges.users.length > 0) {
    await runMapper('newuidmap', pid, mapOf(user, ranges.users))
    await runMapper('newgidmap', pid, mapOf(group, ranges.groups))
    return
  }
  // SPEC: user_namespaces(7): a group can be mapped without privileges only if setgroups is denied first.
  await writeFile(`/proc/${pid}/setgroups`, 'deny')
  await writeFile(`/proc/${pid}/uid_map`, `0 ${user} 1`)
  await writeFile(`/proc/${pid}/gid_map`, `0 ${group} 1`)
}

/** Returns the lines of a map: id inside, id outside, count. */
export function mapOf(own: number, ranges: readonly IdRange[]): readonly (readonly [number, number, number])[] {
  let inside = 1
  const lines: [number, number, number][] = [[0, own, 1]]
  for (const { first, count } of ranges) {
    lines.push([inside, first, count])
    inside += count
  }
  return lines
}

async function runMapper(name: string, pid: number, map: ReturnType<typeof mapOf>): Promise<void> {
  const program = findSystemProgram(name)
  if (!program) throw new SandboxError('ERR_SANDBOX_START', `${name} is not installed (package uidmap)`)
  const output: Uint8Array[] = []
  const onOutput = (chunk: Uint8Array) => output.push(chunk)
  const { code } = await runProgram(program, [String(pid), ...map.flat().map(String)], { onOutput })
  if (code === 0) return
  throw new SandboxError('ERR_SANDBOX_START', `${name} failed: ${Buffer.concat(output).toString('utf8').trim()}`)
}
