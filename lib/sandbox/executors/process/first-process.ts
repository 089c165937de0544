import { readdirSync, readFileSync } from 'node:fs'

/**
 * Returns the number of the process that is the first one of the process namespace `depth` levels below this process,
 * among the descendants of a process; `undefined` if it has not been started or has ended.
 */
export function firstProcess(ancestor: number, depth: number): number | undefined {
  const wanted = (namespacesOf(process.pid)?.length ?? 1) + depth
  const waiting = [ancestor]
  for (let pid = waiting.shift(); pid !== undefined; pid = waiting.shift()) {
    const numbers = namespacesOf(pid)
    if (numbers?.length === wanted && numbers.at(-1) === '1') return pid
    waiting.push(...childrenOf(pid))
  }
  return undefined
}

/** Numbers of a process in its process namespaces, outermost first. */
function namespacesOf(pid: number): string[] | undefined {
  return /^NSpid:\s*(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1]?.split(/\s+/)
}

function childrenOf(pid: number): number[] {
  return tasksOf(pid).flatMap(task => read(`/proc/${pid}/task/${task}/children`).match(/\d+/g)?.map(Number) ?? [])
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A process may end at any moment. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
