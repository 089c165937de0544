import { constants } from 'node:os'

/** First and last real-time signal, as Docker counts them. */
const [RTMIN, RTMAX] = [34, 64]

/**
 * Returns the number of a signal as a config names it: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3` or `SIGRTMAX-1`. It is
 * that of SIGTERM if a text names no signal from 1 to 64: a container with such an image can be stopped all the same.
 */
export function parseStopSignal(text: string): number {
  const number = numberOf(text.trim().toUpperCase().replace(/^SIG/, ''))
  return number !== undefined && number >= 1 && number <= RTMAX ? number : constants.signals.SIGTERM
}

function numberOf(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name)
  const [, from, steps = '0'] = /^(RTMIN(?=$|\+)|RTMAX(?=$|-))(?:[+-](\d{1,2}))?$/.exec(name) ?? []
  if (from === undefined) return (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`]
  const number = from === 'RTMIN' ? RTMIN + Number(steps) : RTMAX - Number(steps)
  return number >= RTMIN ? number : undefined
}
