import { setTimeout as delay } from 'node:timers/promises'
import { isErrno } from './errno.ts'

/** Two seconds in all: enough for short-lived files of other processes to be closed. */
const PAUSES_MS = [5, 10, 25, 50, 110, 250, 500, 1050]

/** Opens a file. While the process or the machine has no free file descriptor, it retries for two seconds. */
export async function withDescriptor<T>(open: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await open()
    } catch (error) {
      if (!isErrno(error, 'EMFILE', 'ENFILE')) throw error
    }
    await delay(pauseMs)
  }
  return open()
}
