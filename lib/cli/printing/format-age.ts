const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Formats the time since a moment as docker does: `About an hour ago`, `3 weeks ago`. */
export function formatAge(time: Date, now: Date): string {
  return `${durationText(Math.floor((now.getTime() - time.getTime()) / 1000))} ago`
}

/** SPEC: the steps are those of units.HumanDuration of docker/go-units. */
function durationText(seconds: number): string {
  const hours = Math.floor(seconds / HOUR + 0.5)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < MINUTE) return `${seconds} seconds`
  if (seconds < 2 * MINUTE) return 'About a minute'
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} minutes`
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  const days = Math.floor(hours / 24)
  if (days < 14) return `${days} days`
  if (days < 60) return `${Math.floor(days / 7)} weeks`
  if (days < 730) return `${Math.floor(days / 30)} months`
  return `${Math.floor(seconds / DAY / 365)} years`
}
