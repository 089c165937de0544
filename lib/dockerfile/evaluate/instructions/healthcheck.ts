import type { Healthcheck } from '../../data/config-change.ts'
import { parseDuration } from '../../document/checks/parse-duration.ts'
import type { Instruction } from '../../document/document.ts'
import { goDuration, goList } from '../go-format.ts'
import { flagValue } from './instruction-context.ts'

/** The check that a HEALTHCHECK instruction sets. Times that are not given are left out. */
export function healthcheck(instruction: Instruction): Healthcheck {
  const [type, command] = instruction.words
  if (type!.text.toUpperCase() === 'NONE') return { Test: ['NONE'] }
  const time = (name: string) => parseDuration(flagValue(instruction, name) || '0')!
  const times = {
    Interval: time('interval'),
    Timeout: time('timeout'),
    StartPeriod: time('start-period'),
    StartInterval: time('start-interval'),
    Retries: Number(flagValue(instruction, 'retries') || '0'),
  }
  const given = Object.fromEntries(Object.entries(times).filter(([, amount]) => amount !== 0))
  return { Test: instruction.json ? ['CMD', ...instruction.json] : ['CMD-SHELL', command!.text], ...given }
}

/** History text, which prints the structure as Go's `%+v` does. */
export function healthcheckText(check: Healthcheck): string {
  const { Test, Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = check
  const times = Object.entries({ Interval, Timeout, StartPeriod, StartInterval })
  const shown = times.map(([name, amount]) => `${name}:${goDuration(amount)}`)
  return `HEALTHCHECK {${[`Test:${goList(Test)}`, ...shown, `Retries:${Retries}`].join(' ')}}`
}
