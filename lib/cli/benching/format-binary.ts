/** Formats a power of 2 in binary units: `64 KiB`. */
export function formatBinary(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1024} KiB`
}
