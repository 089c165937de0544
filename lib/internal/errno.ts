/** Whether an error is the system's, with one of these names (`ENOENT`, `EEXIST`, …). */
export function isErrno(error: unknown, ...names: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && names.includes((error as NodeJS.ErrnoException).code ?? '')
}
