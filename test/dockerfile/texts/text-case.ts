/** Title, text of a Dockerfile, and the build arguments or target that it is evaluated with. */
export type TextCase = readonly [title: string, text: string, options?: TextOptions]

export interface TextOptions {
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly target?: string
}

/** Lines behind `FROM scratch`. */
export function inScratch(...lines: readonly string[]): string {
  return ['FROM scratch', ...lines, ''].join('\n')
}
