import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Reads the descriptors, memory and processor time of a process from `/proc`. */
export function watchServer(pid, directory) {
  return {
    /** Open sockets and open files below its directory. */
    descriptors() {
      return readdirSync(`/proc/${pid}/fd`).filter(fd => {
        const target = targetOf(`/proc/${pid}/fd/${fd}`)
        return target.startsWith('socket:') || target.startsWith(directory)
      }).length
    },
    figures() {
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return { peakBytes: Number(peak[1]) * 1024, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS }
    },
  }
}

/** The descriptor may be closed before it is read. */
function targetOf(path) {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
