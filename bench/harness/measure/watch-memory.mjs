import { readdirSync, readFileSync } from 'node:fs'

const EVERY_MS = 20

/**
 * Watches the processes below a process. The returned function ends the watch and returns the sum of their peaks in
 * bytes, or `undefined` on a platform without /proc. A peak in the last 20 ms of a process may be missed.
 */
export function watchMemory(parent) {
  const peaks = new Map()
  const look = () => {
    for (const pid of descendants(parent)) {
      const bytes = peakOf(pid)
      if (bytes > (peaks.get(pid) ?? 0)) peaks.set(pid, bytes)
    }
  }
  const timer = setInterval(look, EVERY_MS)
  return () => {
    clearInterval(timer)
    return peaks.size === 0 ? undefined : [...peaks.values()].reduce((sum, bytes) => sum + bytes, 0)
  }
}

/** Reads the kernel's high-water mark: unlike `ru_maxrss` it is reset by `exec`. */
function peakOf(pid) {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))
  return line ? Number(line[1]) * 1024 : 0
}

function descendants(pid) {
  const children = threadsOf(pid).flatMap(thread =>
    read(`/proc/${pid}/task/${thread}/children`).trim().split(' ').filter(Boolean),
  )
  return children.flatMap(child => [child, ...descendants(child)])
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** Returns nothing if the process has ended. */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
