import type { FileCopyInput } from '../copy/file-copy.ts'
import type { KeyPart, KeySubject } from '../keys/key-part.ts'

/** One thing that differs between a step and the nearest record of it. */
export interface Difference {
  /** Kind of the part that differs. */
  readonly what: KeySubject
  /** Path of the file, name of the variable, or name of the part of the instruction. */
  readonly name: string
  /** Kind of the change. */
  readonly change: 'added' | 'removed' | 'content' | 'mode' | 'owner' | 'link' | 'type' | 'value'
  /** Value in the record. */
  readonly before?: string | undefined
  /** Value now. */
  readonly after?: string | undefined
}

/** Limits the differences that a plan lists for one step; a new checkout may change every file. */
const MOST = 100

/** Dependencies of a step: the parts of its key, and the files that they list. */
export interface StepFacts {
  readonly parts: readonly KeyPart[]
  readonly inputs?: readonly FileCopyInput[] | undefined
}

/**
 * Compares the dependencies of a step with those of an earlier step. The instruction comes first, because it may change
 * every file. The layers below come last, because an earlier step explains them. At most 100 differences are listed.
 */
export function differencesOf(before: StepFacts, after: StepFacts): Difference[] {
  const files = before.inputs && after.inputs ? fileDifferences(before.inputs, after.inputs) : []
  const parts = partDifferences(before.parts, after.parts, files.length > 0)
  const isBase = ({ what }: Difference) => what === 'base'
  return [...parts.filter(part => !isBase(part)), ...files, ...parts.filter(isBase)].slice(0, MOST)
}

function partDifferences(before: readonly KeyPart[], after: readonly KeyPart[], filesKnown: boolean): Difference[] {
  const old = new Map(before.map(part => [`${part.what} ${part.name}`, part]))
  const found: Difference[] = []
  for (const part of after) {
    const id = `${part.what} ${part.name}`
    const known = old.get(id)
    old.delete(id)
    if (known?.value === part.value || (part.what === 'file' && filesKnown)) continue
    const { what, name, value } = part
    if (known === undefined) found.push({ what, name, change: 'added', after: value })
    else found.push({ what, name, change: 'value', before: known.value, after: value })
  }
  for (const { what, name, value } of old.values()) {
    if (what !== 'file') found.push({ what, name, change: 'removed', before: value })
  }
  return found
}

function fileDifferences(before: readonly FileCopyInput[], after: readonly FileCopyInput[]): Difference[] {
  const old = new Map(before.map(input => [input.name, input]))
  const found: Difference[] = []
  for (const input of after) {
    const known = old.get(input.name)
    old.delete(input.name)
    const difference = known ? changeOf(known, input) : ({ change: 'added' } as const)
    if (difference) found.push({ what: 'file', name: input.source, ...difference })
  }
  for (const input of old.values()) found.push({ what: 'file', name: input.source, change: 'removed' })
  return found
}

function changeOf(before: FileCopyInput, after: FileCopyInput): Omit<Difference, 'what' | 'name'> | undefined {
  if (before.type !== after.type) return { change: 'type', before: before.type, after: after.type }
  if (before.digest !== after.digest) return { change: 'content', before: before.digest, after: after.digest }
  if (before.linkname !== after.linkname) return { change: 'link', before: before.linkname, after: after.linkname }
  if (before.mode !== after.mode) return { change: 'mode', before: octal(before.mode), after: octal(after.mode) }
  if (before.owner !== after.owner) return { change: 'owner', before: before.owner, after: after.owner }
  if (before.extra !== after.extra) return { change: 'value', before: before.extra, after: after.extra }
  return undefined
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/**
 * Reason why a step is made, in one line: the first difference, and the number of differences.
 *
 * @param before - Files that the step read in the record.
 * @param after - Files that the step reads now.
 */
export function reasonOf(
  differences: readonly Difference[],
  before: readonly FileCopyInput[] = [],
  after: readonly FileCopyInput[] = [],
): string {
  const [first] = differences
  if (!first) return 'what it depends on was not recorded in detail'
  const now = filesIn(after)
  const all = new Set([...filesIn(before), ...now])
  const changed = differences.filter(({ what, name }) => what === 'file' && all.has(name))
  // The count of files would say nothing of a directory that differs.
  if (!changed.includes(first)) return sentenceOf(first) + othersOf(differences.length - 1)
  const gone = changed.filter(({ change }) => change === 'removed').length
  const count = differences.length >= MOST ? `${changed.length} or more` : changed.length
  return `${sentenceOf(first)} (${count} of ${now.size + gone} files)`
}

/** Sources of the inputs that are no directories. */
function filesIn(inputs: readonly FileCopyInput[]): Set<string> {
  return new Set(inputs.filter(({ type }) => type !== 'directory').map(({ source }) => source))
}

function othersOf(count: number): string {
  return count > 0 ? ` (and ${count} more)` : ''
}

const VERBS = {
  added: 'was added',
  removed: 'was removed',
  content: 'content differs',
  mode: 'mode differs',
  owner: 'owner differs',
  link: 'link target differs',
  type: 'type differs',
  value: 'differs',
} as const

function sentenceOf({ what, name, change, before, after }: Difference): string {
  const verb = VERBS[change]
  const values = before !== undefined && after !== undefined ? `: ${shown(before)} → ${shown(after)}` : ''
  switch (what) {
    case 'file':
      return name === '' ? 'the files that it reads differ' : `${shownPath(name)} ${verb}`
    case 'base':
      return 'the layers below differ'
    case 'variable':
      return `variable ${shownPath(name)} ${verb}${values}`
    default:
      return `${what} ${shownPath(name)} ${verb}${values}`
  }
}

/** SAFETY: names and values may hold control characters for a terminal; JSON escapes them. */
function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value)
}

function shownPath(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name)
}
