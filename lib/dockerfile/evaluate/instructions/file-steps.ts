import type { FileSource } from '../../data/file-source.ts'
import type { AddFiles, CopyStep, FetchStep, InlineFile, RemoteSource } from '../../data/step.ts'
import { quoted } from '../../document/dockerfile-fault.ts'
import type { Position, Word } from '../../document/document.ts'
import { parseHeredocWord } from '../../document/heredoc-words.ts'
import { isFileMode } from './file-mode.ts'
import {
  type Bare,
  booleanFlag,
  expandedFlag,
  expandIn,
  flagValue,
  type InstructionContext,
  noteUnmatched,
} from './instruction-context.ts'
import { joinDestination } from './join-path.ts'
import { httpSource, parseGitAddress, type RemoteOptions, remoteKind } from './remote-source.ts'

/** Evaluates COPY and ADD. */
export function fileStep(context: InstructionContext): Bare<CopyStep | FetchStep> {
  const { instruction, state } = context
  const adds = instruction.name === 'ADD'
  const written = instruction.json?.map(text => ({ text, position: instruction.position })) ?? instruction.words
  const flags = { chown: expandedFlag(context, 'chown'), chmod: expandedFlag(context, 'chmod') }
  const checksum = expandedFlag(context, 'checksum')
  const expanded = written.map(word => ({ ...word, value: expandIn(context, word.text, word.position) }))
  const destination = expanded.pop()!
  const sources = expanded.filter(({ text }) => parseHeredocWord(text) === undefined)
  const files = inlineFiles(written.slice(0, -1), context)
  checkMode(flags.chmod, context)
  if (adds) checkChecksum(checksum, sources, context)
  else refuseRemotes(sources, context)
  const remotes = adds ? remotesOf(sources, checksum, context) : []
  const paths = sources.filter(({ value }) => !adds || remoteKind(value) === undefined).map(({ value }) => value)
  const parents = booleanFlag(instruction, 'parents') === true
  const exclude = instruction.flags.filter(({ name }) => name === 'exclude').map(({ value }) => value!)
  const common: AddFiles = {
    destination: joinDestination(state.workdir, destination.value),
    ...(flags.chown && { chown: flags.chown }),
    ...(flags.chmod && { chmod: flags.chmod }),
    ...(booleanFlag(instruction, 'link') && { link: true }),
  }
  const shown = [
    instruction.name,
    ...(parents ? ['--parents'] : []),
    ...Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}=${value}`] : [])),
    ...sources.map(({ value }) => value),
    ...files.map(({ name }) => `<<${name}`),
    destination.value,
  ]
  const text = `${shown.join(' ')} # buildkit`
  const rest = { text, remotes, ...(exclude.length > 0 && { exclude }) }
  if (remotes.length > 0 && paths.length + files.length === 0) return { kind: 'fetch', ...rest, ...common }
  const unpack = adds && booleanFlag(instruction, 'unpack') !== false
  return {
    kind: 'copy',
    from: fromOf(context),
    sources: paths,
    files,
    ...rest,
    ...common,
    ...(parents && { parents }),
    ...(unpack && { unpack }),
  }
}

function fromOf({ instruction, source }: InstructionContext): FileSource {
  const name = instruction.name === 'COPY' ? flagValue(instruction, 'from') : undefined
  return name ? source(name) : { context: '' }
}

/** Longest file that a here-document may become. */
const LONGEST_FILE = 16 * 1024 * 1024

/** The here-documents among the sources; quoted ones are not expanded. */
function inlineFiles(sources: readonly Word[], context: InstructionContext): InlineFile[] {
  const { instruction, scope, state } = context
  return sources.flatMap(({ text }) => {
    const word = parseHeredocWord(text)
    if (word === undefined) return []
    const heredoc = instruction.heredocs.findLast(({ name }) => name === word.name)
    const body = heredoc?.content ?? ''
    const content = word.chomp ? body.replace(/^\t+/gm, '') : body
    if (!heredoc || !word.expand) return [{ name: word.name, content }]
    // SPEC: quotes stay, and the escape is always a backslash.
    const options = {
      lookup: (name: string) => state.environment.get(name),
      ignoreQuotes: true,
      escape: '\\',
      limit: LONGEST_FILE,
    }
    const expanded = scope.expand(content, heredoc.position, options)
    noteUnmatched(context, expanded.unmatched)
    return [{ name: word.name, content: expanded.text }]
  })
}

interface ExpandedSource extends Word {
  readonly value: string
}

function checkMode(chmod: string | undefined, { instruction, scope }: InstructionContext): void {
  if (chmod === undefined || isFileMode(chmod)) return
  const position = instruction.flags.find(({ name }) => name === 'chmod')?.position
  scope.fail(position, `invalid --chmod ${quoted(chmod)}: octal from 0 to 07777, or symbolic such as u=rwX,go=rX`)
}

function checkChecksum(
  checksum: string | undefined,
  sources: readonly ExpandedSource[],
  { instruction, scope }: InstructionContext,
): void {
  if (checksum === undefined) return
  const position: Position | undefined = instruction.flags.find(({ name }) => name === 'checksum')?.position
  if (sources.length !== 1) scope.fail(position, '--checksum needs exactly one source')
  const kind = remoteKind(sources[0]!.value)
  if (kind === undefined) scope.fail(position, '--checksum needs a source at an address, not a path')
  if (kind === 'http' && !/^[a-z0-9]+:[0-9a-f]{32,}$/.test(checksum)) {
    scope.fail(position, `--checksum ${quoted(checksum)} is not a digest`, { hint: 'sha256:…' })
  }
}

function refuseRemotes(sources: readonly ExpandedSource[], { scope }: InstructionContext): void {
  const remote = sources.find(({ value }) => remoteKind(value) !== undefined)
  if (remote) scope.fail(remote.position, 'COPY takes no addresses', { hint: 'use ADD' })
}

function remotesOf(
  sources: readonly ExpandedSource[],
  checksum: string | undefined,
  { instruction, scope }: InstructionContext,
): RemoteSource[] {
  const unpack = booleanFlag(instruction, 'unpack')
  const options: RemoteOptions = { checksum, unpack, keepGitDirectory: booleanFlag(instruction, 'keep-git-dir') }
  return sources.flatMap(({ value, position }) => {
    const kind = remoteKind(value)
    if (kind === undefined) return []
    const source = kind === 'http' ? httpSource(value, options) : parseGitAddress(value, options)
    return typeof source === 'string' ? scope.fail(position, source) : [source]
  })
}
