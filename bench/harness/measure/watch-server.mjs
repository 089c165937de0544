import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Reads the descriptors, memory and processor time of a server from `/proc`: of its process and of its workers. */
export function watchServer(pid, directory) {
  const processes = [pid, ...childrenOf(pid)]
  return {
    /** Open sockets and open files below its directory. */
    descriptors: () => sum(processes.map(one => descriptorsOf(one, directory))),
    figures: () => ({
      peakBytes: sum(processes.map(peakOf)),
      cpuSeconds: sum(processes.map(cpuOf)),
    }),
  }
}

const sum = values => values.reduce((all, value) => all + value, 0)

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
}

function descriptorsOf(pid, directory) {
  return readdirSync(`/proc/${pid}/fd`).filter(fd => {
    const target = targetOf(`/proc/${pid}/fd/${fd}`)
    return target.startsWith('socket:') || target.startsWith(directory)
  }).length
}

function peakOf(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** The descriptor may be closed before it is read. */
function targetOf(path) {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
