import { BuildError } from '../../errors/index.ts'

/** Change of permissions by `--chmod`. */
export interface ModeChange {
  /** The mode, if it is a number: it goes to created directories as well. */
  readonly octal?: number | undefined
  /** Permissions of an entry that had others; never called for a link. */
  apply(mode: number, isDirectory: boolean): number
}

const EXECUTE = 0o111
/** Bits that belong to the user, the group, others: `=` clears them. */
const BITS: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o007, a: 0o6777 }
const STICKY = 0o1000
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/
const ACTION = /([-+=])([rwxXst]*[ugo]?)/g

/**
 * Parses the value of `--chmod`: an octal number up to 7777, or a list as `chmod` takes it (`u=rwX,go=rX`, `+x`), read
 * as BSD does with a umask of 0.
 *
 * @throws {@link BuildError} `ERR_BUILD_INVALID_STEP`.
 */
export function parseMode(text: string): ModeChange {
  if (/^[0-9]+$/.test(text)) {
    const octal = Number.parseInt(text, 8)
    if (!/^[0-7]+$/.test(text) || octal > 0o7777) throw invalid(text)
    return { octal, apply: () => octal }
  }
  const actions = text.split(',').flatMap(clause => actionsOf(clause, text))
  return { apply: (mode, isDirectory) => actions.reduce((now, action) => action(now, mode, isDirectory), mode) }
}

type Action = (now: number, before: number, isDirectory: boolean) => number

function actionsOf(clause: string, text: string): Action[] {
  const match = CLAUSE.exec(clause)
  if (!match) throw invalid(text)
  const [, named = '', actions = ''] = match
  const who = named === '' ? 'a' : named
  const sticky = named === '' || /[uga]/.test(named) ? STICKY : 0
  const bits = [...who].reduce((all, letter) => all | BITS[letter]!, 0)
  return [...actions.matchAll(ACTION)].map(([, operator, letters = '']) => (now, before, isDirectory) => {
    const wanted = bitsOf(letters, { now, before, isDirectory }) & (bits | sticky)
    if (operator === '+') return now | wanted
    if (operator === '-') return now & ~wanted
    return (now & ~bits) | wanted
  })
}

function bitsOf(
  letters: string,
  { now, before, isDirectory }: { readonly now: number; readonly before: number; readonly isDirectory: boolean },
): number {
  let value = 0
  for (const letter of letters) {
    if (letter === 'r') value |= 0o444
    if (letter === 'w') value |= 0o222
    if (letter === 'x' || (letter === 'X' && (isDirectory || (before & EXECUTE) !== 0))) value |= EXECUTE
    if (letter === 's') value |= 0o6000
    if (letter === 't') value |= STICKY
    if (letter === 'u') value |= ((now >> 6) & 7) * 0o111
    if (letter === 'g') value |= ((now >> 3) & 7) * 0o111
    if (letter === 'o') value |= (now & 7) * 0o111
  }
  return value
}

function invalid(text: string): BuildError {
  const expected = 'an octal number up to 7777 or a list such as u=rwX,go=rX'
  return new BuildError('ERR_BUILD_INVALID_STEP', `--chmod=${text.slice(0, 100)}: expected ${expected}`)
}
