import type { Command } from 'commander'
import type { GlobalOptions, Session } from '../session.ts'

/** Opens a session with the given options, runs `act` in it, and closes it. */
export type InSession = (options: GlobalOptions, act: (session: Session) => Promise<void>) => Promise<void>

/** Adds a command and returns it. */
export type Add = (usage: string, description: string) => Command

/** The option for one or several platforms. */
export const somePlatforms = [
  '--platform <p>',
  'platform to take, os/architecture[/variant]; may be repeated',
  collect,
] as const

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
