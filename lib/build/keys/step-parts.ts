import { createDigester, type Digest } from '../../digest/index.ts'
import type { CopyStep, FetchStep, RunMount, RunStep, WorkdirStep } from '../../dockerfile/index.ts'
import type { FileCopyInput } from '../copy/file-copy.ts'
import { FrameDigester, type KeyPart, type KeySubject } from './key-part.ts'

/** Policies that change the layers of a build, and so are part of the keys of the steps that they change. */
export interface LayerPolicies {
  /**
   * Permissions of copied files. `normal`: 0755 for directories and files that their owner may execute, 0644 for other
   * files, in the key and in the layer, so that the umask of a checkout does not matter.
   * @defaultValue `'source'`
   */
  readonly modes?: 'source' | 'normal' | undefined
  /**
   * Owners of files copied from stages and images. `root` makes all of them 0:0, in the key and in the layer.
   * @defaultValue `'source'`
   */
  readonly owners?: 'source' | 'root' | undefined
  /**
   * Times of the files in new layers: `'source'` keeps them, a number of seconds since 1970 is the latest time that a
   * file may have. With `'source'` two checkouts of the same files give different layers. @defaultValue `0`
   */
  readonly times?: 'source' | number | undefined
  /**
   * Files that a command has written and left as they are in the layers below, but for their time. `omit` reads them
   * once more, and leaves them out of the layer. @defaultValue `'keep'`
   */
  readonly unchanged?: 'keep' | 'omit' | undefined
}

/** Context of a step in its build. */
export interface StepPlace {
  /** Chain id of the layers below; `scratch` if there are none. */
  readonly parent: Digest | 'scratch'
  /** Platform of the stage, as `os/architecture[/variant]`. */
  readonly platform: string
  readonly policies: LayerPolicies
}

/**
 * Returns the parts of a COPY or ADD without the files that it reads. With `link` the layers below are omitted, unless
 * names of accounts are looked up there.
 */
export function copyParts(step: CopyStep | FetchStep, place: StepPlace): KeyPart[] {
  const standsAlone = step.link === true && !namesAccounts(step.chown)
  return [
    instruction('kind', 'copy'),
    instruction('platform', place.platform),
    ...(standsAlone ? [] : [parent(place)]),
    instruction('destination', step.destination),
    ...optional('chown', step.chown),
    ...optional('chmod', step.chmod),
    ...optional('link', step.link),
    ...(step.kind === 'copy' ? [...optional('parents', step.parents), ...optional('unpack', step.unpack)] : []),
    ...remoteParts(step),
    policy('times', String(step.latestTime ?? place.policies.times ?? 0)),
    policy('modes', place.policies.modes ?? 'source'),
    policy('owners', place.policies.owners ?? 'source'),
  ]
}

/**
 * The parts that fix the files of a stage or an image without reading them: what the tree is, and what the step
 * takes of it. A context has no such parts.
 */
export function sourceParts(step: CopyStep | FetchStep, tree: Digest | 'scratch'): KeyPart[] {
  const { sources = [], files = [] } = step.kind === 'copy' ? step : {}
  return [
    instruction('source tree', tree),
    ...sources.map((source, i) => instruction(`source ${i + 1}`, source)),
    ...(step.exclude ?? []).map((pattern, i) => instruction(`exclude ${i + 1}`, pattern)),
    ...files.map(file => instruction(`file ${file.name}`, `${file.encoding ?? ''} ${file.mode ?? ''} ${file.content}`)),
  ]
}

/** The parts that fix the files of git repositories. */
export function commitParts(commits: readonly string[]): KeyPart[] {
  return commits.map((commit, i) => instruction(`commit ${i + 1}`, commit))
}

/** The part with the digest of the files that a step reads. */
export async function inputsPart(inputs: readonly FileCopyInput[]): Promise<KeyPart> {
  return inputBatchesPart([inputs])
}

/** The same for a list that comes in batches. */
export async function inputBatchesPart(
  batches: Iterable<readonly FileCopyInput[]> | AsyncIterable<readonly FileCopyInput[]>,
): Promise<KeyPart> {
  const frames = new FrameDigester(await createDigester({ hasher: 'native' }))
  try {
    for await (const batch of batches) {
      for (const { name, type, mode, linkname, digest, owner, extra } of batch) {
        frames.addAll([name, type, String(mode), linkname ?? '', digest ?? '', owner ?? '', extra ?? ''])
      }
    }
    return { what: 'file', name: '', value: frames.digest() }
  } finally {
    frames.release()
  }
}

/** The parts of WORKDIR. The owner of a new directory is the user, which is looked up in the layers below. */
export function workdirParts(step: WorkdirStep, place: StepPlace): KeyPart[] {
  return [
    instruction('kind', 'workdir'),
    instruction('platform', place.platform),
    parent(place),
    instruction('path', step.path),
    instruction('user', step.user),
    policy('times', String(place.policies.times ?? 0)),
  ]
}

/**
 * The parts of RUN, without the files of its mounts. Proxy variables, values of secrets, names of caches and the way
 * they are shared are not among them.
 */
export function runParts(step: RunStep, place: StepPlace): KeyPart[] {
  return [
    instruction('kind', 'run'),
    instruction('platform', place.platform),
    parent(place),
    ...commandParts(step),
    ...step.environment.map(variable => {
      const at = variable.indexOf('=')
      return part('variable', at < 0 ? variable : variable.slice(0, at), at < 0 ? '' : variable.slice(at + 1))
    }),
    instruction('user', step.user),
    instruction('workdir', step.workdir),
    instruction('network', step.network),
    ...step.mounts.flatMap((mount, i) => mountParts(mount, i)),
    policy('times', String(place.policies.times ?? 0)),
    ...(place.policies.unchanged === 'omit' ? [policy('unchanged', 'omit')] : []),
  ]
}

/** The part with the digest of the files of a bind mount. */
export async function mountedPart(target: string, inputs: readonly FileCopyInput[]): Promise<KeyPart> {
  return part('file', target, (await inputsPart(inputs)).value)
}

/** The part that names the whole tree of a stage or an image that a bind mount shows a part of. */
export function mountedTreePart(target: string, source: string, tree: Digest | 'scratch'): KeyPart {
  return part('mount', `${target} of ${source}`, tree)
}

function commandParts({ command }: RunStep): KeyPart[] {
  if ('args' in command) return words('exec', command.args)
  const { shell, text, script } = command
  return [
    ...words('shell', [...shell, text]),
    ...(script ? [instruction(`script ${script.path}`, script.content)] : []),
  ]
}

function words(form: string, list: readonly string[]): KeyPart[] {
  return [instruction('form', form), ...list.map((word, i) => instruction(`word ${i + 1}`, word))]
}

function mountParts(mount: RunMount, i: number): KeyPart[] {
  const at = `mount ${i + 1}`
  const say = (name: string, value: unknown) => part('mount', `${at} ${name}`, value === undefined ? '' : String(value))
  const common = [say('type', mount.type), say('target', mount.target)]
  switch (mount.type) {
    case 'bind':
      return [...common, say('read-only', mount.readOnly)]
    case 'tmpfs':
      return [...common, say('size', mount.size)]
    case 'secret':
      return [...common, say('env', mount.env), say('owner', `${mount.uid}:${mount.gid} ${mount.mode}`)]
    default:
      return common
  }
}

/** Returns the parts for the downloads of an ADD, without their content. */
function remoteParts(step: CopyStep | FetchStep): KeyPart[] {
  return step.remotes.flatMap((remote, i) => {
    const at = `remote ${i + 1}`
    if ('url' in remote) {
      return [
        instruction(`${at} name`, fileNameOf(remote.url)),
        instruction(`${at} unpack`, String(remote.unpack ?? false)),
      ]
    }
    // The commit says what the files are, wherever it comes from and by which name.
    const { subdirectory = '', keepGitDirectory = false, submodules = true } = remote
    return [instruction(`${at} directory`, subdirectory), instruction(`${at} git`, `${keepGitDirectory} ${submodules}`)]
  })
}

/** Name of the file that ADD makes of an address: the last segment of its path. */
export function fileNameOf(url: string): string {
  const { pathname } = new URL(url)
  const segment = pathname.slice(pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(segment).replaceAll('/', '_') || '__unnamed__'
  } catch {
    return segment
  }
}

/** Whether owners are written as names, which must be looked up in the layers below. */
export function namesAccounts(chown: string | undefined): boolean {
  return chown !== undefined && !/^\d*(:\d*)?$/.test(chown)
}

function parent({ parent }: StepPlace): KeyPart {
  return part('base', '', parent)
}

function instruction(name: string, value: string): KeyPart {
  return part('instruction', name, value)
}

function policy(name: string, value: string): KeyPart {
  return part('policy', name, value)
}

function optional(name: string, value: string | boolean | undefined): KeyPart[] {
  return value === undefined || value === false ? [] : [instruction(name, String(value))]
}

function part(what: KeySubject, name: string, value: string): KeyPart {
  return { what, name, value }
}
