const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Formats a number of bytes in decimal units with three significant digits, as the docker command does: `18.4MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)}${UNITS[unit]}`
}
