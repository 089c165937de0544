/** One build of the corpus of commands. */
export interface RunCase {
  /** Group, number in it and text, for messages. */
  readonly name: string
  readonly context: string
  readonly dockerfile: string
  readonly args?: Readonly<Record<string, string>>
  readonly target?: string
  /** True if times of files are compared too: those that a command or the base has set. */
  readonly times: boolean
}

type More = Pick<RunCase, 'args' | 'target'>

/** Cases that share a context and the line before them. */
export interface RunCaseGroup {
  readonly about: string
  /** @defaultValue `'plain'` */
  readonly context?: string
  /** Lines in front of each case; absent: the cases have their own. */
  readonly from?: string
  readonly times?: true
  readonly cases: readonly (string | readonly [text: string, more: More])[]
}

/** Returns the cases of groups, with their names. */
export function casesOf(groups: readonly RunCaseGroup[]): RunCase[] {
  return groups.flatMap(({ about, context = 'plain', from, times = false, cases }) =>
    cases.map((entry, i) => {
      const [text, more] = typeof entry === 'string' ? [entry, {}] : entry
      return {
        name: `${about} ${i + 1}: ${text.replaceAll('\n', ' ⏎ ')}`,
        context,
        times,
        dockerfile: `${from ?? ''}\n${text}\n`.trimStart(),
        ...more,
      }
    }),
  )
}
