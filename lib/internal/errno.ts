/** Whether an error is a system error with one of these codes (`ENOENT`, `EEXIST`, …). */
export function isErrno(error: unknown, ...names: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && names.includes((error as NodeJS.ErrnoException).code ?? '')
}
