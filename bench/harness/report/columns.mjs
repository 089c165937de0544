// `scale` decides how many digits are written: a spread has those of its median.
const fixed = (value, digits) => value.toFixed(digits)
const seconds = (value, scale = value) => fixed(value, scale < 1 ? 3 : 2)
const mb = (value, scale = value) => fixed(value / 1e6, scale < 1e6 ? 2 : scale < 1e7 ? 1 : 0)
const micro = (value, scale = value) => fixed(value * 1e6, scale < 1e-4 ? 1 : 0)

const whole = value => fixed(value, 0)
const milli = value => fixed(value, 1)

/** Title and format of each figure of a result. */
export const COLUMNS = {
  seconds: { title: 'seconds', figure: 'seconds', format: seconds, spread: true },
  milliseconds: { title: 'ms', figure: 'seconds', format: value => fixed(value * 1000, 0), spread: true },
  microseconds: { title: 'µs', figure: 'seconds', format: micro, spread: true },
  speed: { title: 'MB/s', figure: 'bytesPerSecond', format: mb, more: true },
  cpuMicroseconds: { title: 'CPU µs', figure: 'cpuSeconds', format: micro },
  cpu: { title: 'CPU s', figure: 'cpuSeconds', format: seconds },
  usage: { title: 'usage s', figure: 'usageSeconds', format: seconds },
  memory: { title: 'peak MB', figure: 'peakBytes', format: mb },
  loop: { title: 'event loop, p99 ms', figure: 'loopP99', format: milli },
  ratio: { title: 'size ratio', figure: 'ratio', format: value => fixed(value, 4) },
  moved: { title: 'MB moved', figure: 'movedBytes', format: mb },
  movedKb: { title: 'kB moved', figure: 'movedBytes', format: value => fixed(value / 1e3, 1) },
  total: { title: 'MB in all', figure: 'totalBytes', format: mb },
  kept: { title: 'MB kept', figure: 'keptBytes', format: mb },
  share: { title: 'share kept', figure: 'share', format: value => fixed(value, 3) },
  errors: { title: 'errors', figure: 'errors', format: whole },
  descriptors: { title: 'descriptors left', figure: 'descriptorsLeft', format: whole },
  bigSpeed: { title: '10 MB blobs, MB/s', figure: 'bigBytesPerSecond', format: mb, more: true, spread: true },
  smallRate: { title: '20 kB blobs a second', figure: 'smallPerSecond', format: whole, more: true, spread: true },
  pushRate: { title: 'pushes a second', figure: 'pushesPerSecond', format: whole, more: true, spread: true },
  besideSlow: { title: 'beside slow readers, p99 ms', figure: 'besideSlowP99', format: milli, spread: true },
  manifestIdle: { title: 'manifest, p99 ms', figure: 'idleP99', format: milli, spread: true },
  manifestAttacked: { title: 'with wrong passwords', figure: 'attackedP99', format: milli, spread: true },
  transferIdle: { title: 'transfers, MB/s', figure: 'idleBytesPerSecond', format: mb, spread: true },
  transferAttacked: { title: 'with wrong passwords', figure: 'attackedBytesPerSecond', format: mb, spread: true },
  pushSeconds: { title: 'push, s', figure: 'pushSeconds', format: seconds, spread: true },
  pullSeconds: { title: 'cold pull, s', figure: 'pullSeconds', format: seconds, spread: true },
  warmSeconds: { title: 'warm pull, s', figure: 'warmSeconds', format: seconds, spread: true },
  collectSeconds: { title: 'collection, s', figure: 'collectSeconds', format: seconds, spread: true },
  pushRequests: { title: 'push', figure: 'pushRequests', format: whole },
  pullRequests: { title: 'cold pull', figure: 'pullRequests', format: whole },
  warmRequests: { title: 'warm pull', figure: 'warmRequests', format: whole },
  collectRequests: { title: 'collection', figure: 'collectRequests', format: whole },
  pieces: { title: 'pieces', figure: 'pieces', format: value => fixed(value, 0) },
}

/** A figure as text, with its spread where that is wanted and there is one; empty if it was not measured. */
export function written(column, summary) {
  const { figure, format, spread } = COLUMNS[column]
  const found = summary?.[figure]
  if (!found) return ''
  return spread && found.n > 1 ? `${format(found.median)} ± ${format(found.mad, found.median)}` : format(found.median)
}
