/** Returns the error that a call throws or rejects with; throws if the call succeeds. */
export async function thrownBy(act: () => unknown): Promise<Error & { code?: string; at?: string }> {
  let result: unknown
  try {
    result = await act()
  } catch (error) {
    return error as Error
  }
  throw new Error(`nothing was thrown; the result is ${JSON.stringify(result)}`)
}
