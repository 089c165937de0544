/**
 * Chooses a name for a damaged file or object in quarantine: `<as>-<time>`, and a number if that name is used already.
 *
 * @param as - Name or path of the damaged file or object. Its slashes and special characters are replaced.
 * @param timeMs - Milliseconds since 1970.
 * @param isUsed - Whether quarantine has the name.
 */
export async function unusedQuarantineName(
  as: string,
  timeMs: number,
  isUsed: (name: string) => Promise<boolean>,
): Promise<string> {
  // SAFETY: another program may have chosen the name; one of 255 bytes would be too long with the time appended.
  const kept = as.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 200)
  const time = new Date(timeMs).toISOString().replace(/[-:.]/g, '')
  for (let again = 0; ; again++) {
    const name = `${kept}-${time}${again === 0 ? '' : `-${again}`}`
    if (!(await isUsed(name))) return name
  }
}
