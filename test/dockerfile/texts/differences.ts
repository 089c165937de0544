/** Texts that this library answers in another way than the recorded engine. */
interface Difference {
  /** Why; those that are on purpose are in `rationale.md` of the room. */
  readonly why: string
  /** What is expected instead of what the engine did. */
  readonly expected: Readonly<Record<string, unknown>>
}

const LATER = 'BuildKit after 0.25'
const TRUE_LINE = 'BuildKit reports the line before'

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'only a line feed': { why: 'the file as a whole has no line', expected: { error: { message: '' } } },
  'only comments': { why: 'the file as a whole has no line', expected: { error: { message: '' } } },
  'only blanks': { why: 'the file as a whole has no line', expected: { error: { message: '' } } },
  'a line of 65,536 bytes': { why: TRUE_LINE, expected: { error: { message: '', line: 2 } } },
  'a line of 65,537 bytes': { why: TRUE_LINE, expected: { error: { message: '', line: 2 } } },
  'a long comment': { why: TRUE_LINE, expected: { error: { message: '', line: 2 } } },
  'escape twice': { why: TRUE_LINE, expected: { error: { message: '', line: 2 } } },
  'syntax twice': {
    why: 'the engine had no network to fetch the front end, which refuses it',
    expected: { error: { message: '', line: 2 } },
  },
  'COPY with --parents': {
    why: `${LATER} has the flag`,
    expected: { error: undefined, history: ['+ COPY --parents dir/./c /x/ # buildkit'], config: emptyConfig() },
  },
  'COPY with all flags': {
    why: `${LATER} has the flag`,
    expected: {
      error: undefined,
      history: ['+ COPY --parents --chown=3 --chmod=600 a /x/ # buildkit'],
      config: emptyConfig(),
    },
  },
  'lint: names that are no secrets': { why: `${LATER} knows FILE and VERSION`, expected: { warnings: [] } },
  'lint: skip for an instruction': {
    why: `${LATER} reads the comment`,
    expected: { warnings: ['JSONArgsRecommended:4'] },
  },
}

function emptyConfig() {
  return { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], WorkingDir: '/' }
}
