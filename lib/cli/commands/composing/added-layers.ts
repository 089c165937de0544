import { stat } from 'node:fs/promises'
import type { NewLayer } from '../../../image/index.ts'
import type { fromFiles } from '../../../layer/index.ts'
import type { Store } from '../../../store/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { readInput } from '../../reading/read-input.ts'
import type { Session } from '../../session/session.ts'
import type { WritingPolicies } from './writing-policies.ts'

type TarInput = ReturnType<typeof fromFiles>[number]

/** Writes the layers that `append` adds: one for each directory, and one for all files. */
export async function addLayers(
  session: Session,
  store: Store,
  { dir, file }: { readonly dir: readonly string[]; readonly file: readonly string[] },
  writing: WritingPolicies,
): Promise<NewLayer[]> {
  const { fromDirectory } = await import('../../../layer/index.ts')
  const { signal } = session
  const layers: NewLayer[] = []
  for (const source of dir) {
    const { path, at } = splitPlace(notEmpty(source, 'the directory of --dir'))
    await assertDirectory(source, path)
    const entries = fromDirectory(path, { ...writing.entries, at, signal })
    layers.push(await addLayer(session, store, `--dir ${source}`, entries, writing))
  }
  if (file.length === 0) return layers
  const words = file.map(source => `--file ${source}`).join(' ')
  return [...layers, await addLayer(session, store, words, await fileEntries(file, writing), writing)]
}

async function addLayer(
  session: Session,
  store: Store,
  words: string,
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  writing: WritingPolicies,
): Promise<NewLayer> {
  const { writeLayer } = await import('../../../layer/index.ts')
  const { signal, hasher } = session
  const layer = await writeLayer(store, entries, { ...writing.layer, hasher, signal })
  session.note(`${words}: ${formatBytes(layer.uncompressedSize)}, stored as ${formatBytes(layer.descriptor.size)}`)
  return { ...layer, history: { created_by: `layerstore append ${words}` } }
}

/** Splits `SRC[:/at]`: the part after the last `:/` is the path in the image. */
function splitPlace(source: string): { path: string; at: string } {
  const colon = source.lastIndexOf(':/')
  const isDrive = colon === 1 && process.platform === 'win32'
  return colon > 0 && !isDrive
    ? { path: source.slice(0, colon), at: source.slice(colon + 1) }
    : { path: source, at: '/' }
}

/** Refuses a `--dir` that is no directory, with what the user may have meant. */
async function assertDirectory(source: string, path: string): Promise<void> {
  const name = JSON.stringify(path)
  const stats = await stat(path).catch((cause: Error) => cause)
  if (!(stats instanceof Error)) {
    if (stats.isDirectory()) return
    throw new UsageError(`--dir: ${name} is a file; --dir takes directories, --file takes files`)
  }
  // The library reports a directory that does not exist.
  const [, before = '', after = ''] = /^(.+):([^/:]+)$/s.exec(source) ?? []
  const isThere = before !== '' && (await stat(before).catch(() => undefined))
  if (isThere) throw new UsageError(`--dir: ${JSON.stringify(after)} must begin with / (DIR:/at)`, { cause: stats })
}

/** Splits `SRC[:/at[:mode]]`. A path in the image that ends with a slash is the directory of the file. */
export function splitFile(source: string): { path: string; at: string; mode: number | undefined } {
  const [, place = source, octal] = /^(.*:\/.*):([0-7]{3,5})$/s.exec(source) ?? []
  const { path, at } = splitPlace(place)
  const name = path.slice(
    Math.max(path.lastIndexOf('/'), process.platform === 'win32' ? path.lastIndexOf('\\') : -1) + 1,
  )
  const mode = octal === undefined ? undefined : Number.parseInt(octal, 8)
  return { path, at: at.endsWith('/') ? at + name : at, mode }
}

async function fileEntries(sources: readonly string[], { entries }: WritingPolicies): Promise<TarInput[]> {
  const { fromFiles } = await import('../../../layer/index.ts')
  const { mtime, uid, gid, mode, parents } = entries
  const files = await Promise.all(sources.map(source => fileEntry(source, entries)))
  const modes = new Map(files.flatMap(({ input, mode }) => (mode === undefined ? [] : [[input.path, mode]])))
  return fromFiles(
    files.map(({ input }) => input),
    { mtime, uid, gid, mode, parents },
  ).map(entry => withMode(entry, modes.get(entry.path)))
}

function withMode(entry: TarInput, mode: number | undefined): TarInput {
  return mode === undefined ? entry : { ...entry, mode }
}

async function fileEntry(source: string, { mtime, uid, gid }: WritingPolicies['entries']) {
  const { path, at, mode } = splitFile(source)
  const stats = await stat(path).catch(cause => {
    throw fileFault('--file', path, cause)
  })
  if (!stats.isFile()) throw new UsageError(`--file ${JSON.stringify(path)} is not a file; --dir adds a directory`)
  const input: TarInput = {
    path: at.replace(/^\/+/, ''),
    type: 'file',
    size: stats.size,
    mode: stats.mode & 0o7777,
    content: () => readInput('--file', path),
    // Without a policy an entry gets the time and owner that reproducible layers have.
    ...(mtime === undefined ? {} : { mtime: stats.mtimeMs / 1000 }),
    ...(uid === undefined ? {} : { uid: stats.uid }),
    ...(gid === undefined ? {} : { gid: stats.gid }),
  }
  return { input, mode }
}
