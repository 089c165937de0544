import type { FileCopyInput } from '../copy/file-copy.ts'
import type { KeyPart, KeySubject } from '../keys/key-part.ts'
import { changedLines } from './changed-lines.ts'
import { parseInputs } from './input-list.ts'

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

/** Dependencies of a step: the parts of its key, and the list of the files that it reads. */
export interface StepFacts {
  readonly parts: readonly KeyPart[]
  /** Text of an {@link InputList}. */
  readonly inputs?: Uint8Array | undefined
}

/** Differences between two steps. */
export interface ComparedSteps {
  readonly differs: readonly Difference[]
  /** Those of the differences that are of files and not of directories. */
  readonly files: ReadonlySet<Difference>
}

/**
 * Compares the dependencies of a step with those of an earlier step. The instruction comes first, because it may change
 * every file. The layers below come last, because an earlier step explains them. At most 100 differences are listed.
 */
export function compareSteps(before: StepFacts, after: StepFacts): ComparedSteps {
  const paths = before.inputs && after.inputs ? pathDifferences(before.inputs, after.inputs) : []
  const parts = partDifferences(before.parts, after.parts, paths.length > 0)
  const isBase = ({ what }: Difference) => what === 'base'
  const read = paths.map(({ difference }) => difference)
  const differs = [...parts.filter(part => !isBase(part)), ...read, ...parts.filter(isBase)].slice(0, MOST)
  return { differs, files: new Set(paths.filter(({ isFile }) => isFile).map(({ difference }) => difference)) }
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

interface PathDifference {
  readonly difference: Difference
  /** False for a directory. */
  readonly isFile: boolean
}

function pathDifferences(before: Uint8Array, after: Uint8Array): PathDifference[] {
  const lines = changedLines(before, after)
  const [gone, come] = [parseInputs(lines.before), parseInputs(lines.after)]
  if (!gone || !come) return []
  const old = new Map(gone.map(input => [input.name, input]))
  const found: PathDifference[] = []
  for (const input of come) {
    const known = old.get(input.name)
    old.delete(input.name)
    const change = known ? changeOf(known, input) : ({ change: 'added' } as const)
    const isFile = input.type !== 'directory' || (known !== undefined && known.type !== 'directory')
    if (change) found.push({ difference: { what: 'file', name: input.source, ...change }, isFile })
  }
  for (const { source, type } of old.values()) {
    found.push({ difference: { what: 'file', name: source, change: 'removed' }, isFile: type !== 'directory' })
  }
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
 * @param total - Number of files that the step reads now.
 */
export function reasonOf({ differs, files }: ComparedSteps, total: number): string {
  const [first] = differs
  if (!first) return 'what it depends on was not recorded in detail'
  const changed = differs.filter(difference => files.has(difference))
  // The count of files would say nothing of a directory that differs.
  if (!files.has(first)) return sentenceOf(first) + othersOf(differs.length - 1)
  const gone = changed.filter(({ change }) => change === 'removed').length
  const count = differs.length >= MOST ? `${changed.length} or more` : changed.length
  return `${sentenceOf(first)} (${count} of ${total + gone} files)`
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
