import { execFileSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

const FILE_SYSTEMS = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlayfs',
}

/**
 * Describes the environment of a measurement: machine, Node, file system, commit, date, load. Call it before measuring.
 */
export function environmentOf(directory) {
  const [cpu] = cpus()
  const [load] = loadavg()
  return {
    date: new Date().toISOString(),
    commit: commitOf(),
    cpu: cpu?.model.trim(),
    cores: availableParallelism(),
    shaInstructions: /^flags.* sha_ni /m.test(read('/proc/cpuinfo')),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.version,
    openssl: process.versions.openssl,
    zlib: process.versions.zlib,
    fileSystem: fileSystemOf(directory),
    load: Math.round(load * 10) / 10,
  }
}

/**
 * Returns a warning for figures that were measured while other processes kept the machine busy; the benchmark itself
 * causes a load of one or two.
 */
export function cautionFor({ load, cores, note }) {
  if (note) return note
  return load > 1.5 * cores ? `provisional: the load was ${load} on ${cores} cores before this began` : undefined
}

function commitOf() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const library = join(import.meta.dirname, '../../../lib')
    const changed = git('status', '--porcelain', '--', library) !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '')
  } catch {
    return 'unknown'
  }
}

function fileSystemOf(directory) {
  const { type } = statfsSync(directory)
  return FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
