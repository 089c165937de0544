/** One mount of a table. */
export interface TableMount {
  readonly source: string
  readonly target: string
  /** Type of the filesystem. @defaultValue a bind mount */
  readonly type?: string | undefined
  readonly options: readonly string[]
}

/** Text of a table of mounts, as `mount --all --fstab` reads it. SPEC: fstab(5). */
export function mountTable(mounts: readonly TableMount[]): string {
  return mounts
    .map(({ source, target, type = 'none', options }) =>
      [source, target, type, options.join(',') || 'defaults', '0', '0'].map(escaped).join(' '),
    )
    .map(line => `${line}\n`)
    .join('')
}

function escaped(field: string): string {
  return field.replace(/[\s\\#]/g, char => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
