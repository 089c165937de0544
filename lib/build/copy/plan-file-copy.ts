import type { AbortOptions } from '../../internal/abort.ts'
import { inBatches } from '../../internal/memory/batched-iterable.ts'
import { type Borrowed, owned } from '../../internal/memory/borrowed.ts'
import { type LazyList, withList } from '../../internal/memory/lazy-list.ts'
import type { UnionView } from '../../rootfs/index.ts'
import { type FileOwner, resolveOwner } from '../../sandbox/index.ts'
import type { TarInput } from '../../tar/index.ts'
import { copyInputs } from './copy-inputs.ts'
import { emitContent } from './emit-content.ts'
import { emitEntries } from './emit-entries.ts'
import type { FileCopyEntriesOptions, FileCopyInput, FileCopyPlan, FileCopyStep } from './file-copy.ts'
import { findMatches } from './find-matches.ts'
import { LayerDraft } from './layer-draft.ts'
import { type ModeChange, parseMode } from './parse-mode.ts'
import { isArchive, placeArchive } from './place-archive.ts'
import { placeMatch } from './place-match.ts'
import type { SourceMatch } from './source-match.ts'

/**
 * Plans a COPY, or an ADD of local files: finds its sources in their trees. Content is read by `inputs`, as far as its
 * digest is not known, and by `entries`; the root filesystem below is needed for `entries` only.
 *
 * The rules are those of BuildKit. Deliberate differences are errors where BuildKit is silently wrong: an unknown name
 * in `chown`, and several files onto one path; and `exclude` counts for files that are named directly, as documented.
 *
 * @throws {@link BuildError} `ERR_BUILD_SOURCE_NOT_FOUND` for a source that does not exist; `ERR_BUILD_INVALID_STEP`
 * for a malformed mode or pattern. {@link RootfsError} `ERR_TOO_MANY_LINKS`; {@link SourceError} from a directory.
 */
export async function planFileCopy(step: FileCopyStep, options: AbortOptions = {}): Promise<FileCopyPlan> {
  const mode = step.chmod === undefined ? undefined : parseMode(step.chmod)
  options.signal?.throwIfAborted()
  const matches = findMatches(step)
  const policy = { setsOwner: step.chown !== undefined, mode }
  return {
    async inputs(options = {}) {
      const inputs: FileCopyInput[] = []
      for await (const batch of copyInputs(matches, policy, options)) inputs.push(...batch)
      return inputs
    },
    inputBatches: (options = {}) => copyInputs(matches, policy, options),
    entries: options => entriesOf(step, { matches, mode }, options),
  }
}

interface FoundStep {
  readonly matches: readonly SourceMatch[]
  readonly mode: ModeChange | undefined
}

/** PERF: entries that are made together where a consumer takes the stream. */
const BATCH = 1024

function entriesOf(step: FileCopyStep, found: FoundStep, options: FileCopyEntriesOptions): AsyncIterable<TarInput> {
  let placed: Promise<PlacedStep> | undefined
  const place = () => {
    placed ??= placeStep(step, found, options)
    return placed
  }
  return withList(inBatches(batchesOf(place, options)), async () => (await place()).content)
}

async function* batchesOf(
  place: () => Promise<PlacedStep>,
  { signal }: FileCopyEntriesOptions,
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  const { draft, below, content } = await place()
  if (!content) {
    for await (const batch of emitEntries(draft, below, { signal })) yield owned(batch)
    return
  }
  for (let from = 0; from < content.length; from += BATCH) {
    const length = Math.min(BATCH, content.length - from)
    yield owned(Array.from({ length }, (_, i) => content.at(from + i)))
  }
}

/** A copy in memory. */
interface PlacedStep {
  readonly draft: LayerDraft
  /** Root filesystem that the entries are placed on; `undefined` for an empty one. */
  readonly below: UnionView | undefined
  /** All entries, if they can be made one by one. */
  readonly content: LazyList<TarInput> | undefined
}

async function placeStep(
  step: FileCopyStep,
  { matches, mode }: FoundStep,
  options: FileCopyEntriesOptions,
): Promise<PlacedStep> {
  const { time, signal } = options
  const owner = step.chown === undefined ? undefined : await resolveOwner(step.chown, options.below, { signal })
  const below = step.link ? undefined : options.below
  const draft = new LayerDraft(below)
  const placing = {
    destination: step.destination,
    owner,
    mode,
    // A system call that makes a directory takes no set-id and sticky bits, and no write permission that the umask of
    // the Docker Engine (022) denies; the reference does not set them later.
    created: { mode: (mode?.octal ?? 0o755) & 0o755, ...ownerOf(owner), mtime: time },
    severalFiles: matches.filter(({ node }) => node.type !== 'directory').length > 1,
    below,
    signal,
  }
  const content = await emitContent(draft, matches, below, placing)
  if (content) return { draft, below, content }
  for (const found of matches) {
    const archive = { tree: found.tree, node: found.node }
    if (found.unpack && (await isArchive(archive, { signal }))) await placeArchive(draft, archive, placing)
    else placeMatch(draft, found, placing)
  }
  return { draft, below, content: undefined }
}

function ownerOf(owner: FileOwner | undefined): FileOwner {
  return { uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 }
}
