/** Builds the error of an expired timer, with the code of the system's own `ETIMEDOUT`. */
export function timeoutError(what: string, ms: number): NodeJS.ErrnoException {
  const phase = what === 'connection' ? { syscall: 'connect' } : {}
  return Object.assign(new Error(`no ${what} within ${ms} ms`), { code: 'ETIMEDOUT', ...phase })
}
