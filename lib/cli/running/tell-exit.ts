import type { ProcessExit } from '../../sandbox/index.ts'
import type { Session } from '../session/session.ts'

/** Words of messages for each limit. */
const LIMITS = { memory: 'memory', processes: 'processes', seconds: 'time' } as const

/** Sets the exit code of the command to that of a process; says which limit it reached, and why it may have failed. */
export function tellExit(session: Session, { code, limit, note }: ProcessExit): void {
  session.exit = code
  if (limit !== undefined) session.note(`the process reached its limit of ${LIMITS[limit]}`)
  if (note !== undefined) session.note(note)
}
