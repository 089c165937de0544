import { spawnSync } from 'node:child_process'

/** Runs a module's text in a fresh process and returns what it printed as JSON, with wall time and max RSS. */
export function freshProcess(source, ...args) {
  const epilogue = `
    ;process.on('exit', () => {
      const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
      console.log(JSON.stringify({ maxRssMB: Math.round(maxRSS / 1024), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }))
    })`
  const start = performance.now()
  const result = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `${epilogue}\n${source}`, '--', ...args.map(String)],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  if (result.status !== 0) throw new Error(`a benchmark process ended with ${result.status ?? result.signal}`)
  const seconds = (performance.now() - start) / 1000
  const lines = result.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  return Object.assign({ wallSeconds: seconds }, ...lines)
}

/** The middle value. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
