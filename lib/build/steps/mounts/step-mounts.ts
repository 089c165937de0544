import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { FileSource, RunMount, RunStep, SecretMount, SshMount } from '../../../dockerfile/index.ts'
import { BuildError } from '../../../errors/index.ts'
import { openCacheMount, type ProcessMount, type StackFiles } from '../../../sandbox/index.ts'
import { writeTar } from '../../../tar/index.ts'
import { resolveInTree } from '../../context/resolve-in-tree.ts'
import { inputsPart } from '../../keys/step-parts.ts'
import type { BuildSession } from '../../session/build-session.ts'
import { planCopyOf } from '../plan-copy-of.ts'
import type { StepFrame } from '../step-frame.ts'
import { forwardAgent } from './forward-agent.ts'
import type { MountSettings } from './mount-settings.ts'

type CacheMount = Extract<RunMount, { type: 'cache' }>

/** Directory beside a root filesystem, for the files of its process. */
export interface MountPlace {
  readonly path: string
  readonly files: StackFiles
}

/** The mounts of one step. Disposing them releases its cache mounts and closes its agents. */
export class StepMounts implements AsyncDisposable {
  /** Variables that secrets and agents give. */
  readonly variables: string[] = []
  readonly #session: BuildSession
  readonly #frame: StepFrame
  readonly #settings: MountSettings
  readonly #place: MountPlace
  readonly #opened: AsyncDisposable[] = []
  readonly #caches = new Map<CacheMount, string>()
  #agents = 0

  constructor(session: BuildSession, frame: StepFrame, settings: MountSettings, place: MountPlace) {
    this.#session = session
    this.#frame = frame
    this.#settings = settings
    this.#place = place
  }

  /**
   * Prepares all mounts of a step, in the order of the step.
   *
   * @throws {@link BuildError} `ERR_BUILD_SOURCE_NOT_FOUND` for a secret or an agent that is required and missing.
   */
  async prepare(step: RunStep): Promise<ProcessMount[]> {
    await this.#openCaches(step)
    const mounts: ProcessMount[] = []
    for (const mount of step.mounts) {
      const prepared = await this.#prepare(mount)
      if (prepared) mounts.push(prepared)
    }
    const script = 'script' in step.command ? step.command.script : undefined
    if (script) mounts.push(await this.#file(script.content, script.path, { mode: 0o755, uid: 0, gid: 0 }))
    return mounts
  }

  /**
   * Opens the caches in the order of their names: two steps that lock the same ones cannot wait for each other. A cache
   * that a step mounts at several paths is opened once, with the sharing of the first: the step would wait for itself.
   */
  async #openCaches({ mounts }: RunStep): Promise<void> {
    const caches: { mount: CacheMount; seed: string | undefined; name: string }[] = []
    for (const mount of mounts) {
      if (mount.type !== 'cache') continue
      const seed = await this.#seedOf(mount)
      caches.push({ mount, seed, name: JSON.stringify([mount.id, seed ?? '']) })
    }
    caches.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    const opened = new Map<string, string>()
    for (const { mount, seed, name } of caches) {
      const path = opened.get(name) ?? (await this.#cache(mount, seed))
      opened.set(name, path)
      this.#caches.set(mount, path)
    }
  }

  async #prepare(mount: RunMount): Promise<ProcessMount | undefined> {
    switch (mount.type) {
      case 'tmpfs':
        return { type: 'tmpfs', target: mount.target, size: mount.size }
      case 'secret':
        return this.#secret(mount)
      case 'ssh':
        return this.#agent(mount)
      case 'cache': {
        const source = this.#caches.get(mount) as string
        return { type: 'bind', source, target: mount.target, readOnly: mount.readOnly }
      }
      default: {
        const source = await this.#tree(mount.from, mount.source)
        return { type: 'bind', source, target: mount.target, readOnly: mount.readOnly }
      }
    }
  }

  async #secret(mount: SecretMount): Promise<ProcessMount | undefined> {
    const value = this.#settings.secrets?.[mount.id]
    if (value === undefined) {
      // As in the reference: the variable of an absent secret is there, and empty.
      if (!mount.required && mount.env !== undefined) this.variables.push(`${mount.env}=`)
      return missing(mount.required, `no secret ${JSON.stringify(mount.id)} was given`)
    }
    if (mount.env !== undefined) this.variables.push(`${mount.env}=${textOf(value, mount.id)}`)
    return mount.target === undefined ? undefined : this.#file(value, mount.target, mount)
  }

  async #agent(mount: SshMount): Promise<ProcessMount | undefined> {
    const target = mount.target ?? `/run/buildkit/ssh_agent.${this.#agents++}`
    const agent = this.#settings.sshAgents?.[mount.id]
    if (agent === undefined) return missing(mount.required, `no ssh agent ${JSON.stringify(mount.id)} was given`)
    const source = this.#newPath()
    this.#opened.push(await forwardAgent(agent, source, this.#place.files, mount))
    this.variables.push(`SSH_AUTH_SOCK=${target}`)
    return { type: 'bind', source, target, readOnly: false }
  }

  async #file(
    content: string | Uint8Array,
    target: string,
    { mode, uid, gid }: Pick<SecretMount, 'mode' | 'uid' | 'gid'>,
  ): Promise<ProcessMount> {
    const source = this.#newPath()
    // Not through the store: a secret must leave no blob.
    await this.#place.files.writeFile(source, content, { mode, uid, gid })
    return { type: 'bind', source, target, readOnly: true }
  }

  /** Files of a tree in a directory of their own: what the command writes there is discarded. */
  async #tree(from: FileSource, path: string): Promise<string> {
    const place = this.#newPath()
    const isFile = await this.#unpack(from, path, place)
    return isFile ? join(place, path.slice(path.lastIndexOf('/') + 1)) : place
  }

  /** Writes files of a tree to a directory. Resolves to whether the path is a single file. */
  async #unpack(from: FileSource, path: string, place: string): Promise<boolean> {
    const { opened, copy } = await this.#find(from, path)
    const { signal } = this.#frame
    const open = () => writeTar(copy.entries({ below: undefined, time: 0, signal }), { signal })
    // As a layer is unpacked, so that no path leads out of the directory.
    await this.#place.files.unpack(place, `mount of ${path}`, open, { signal })
    return resolveInTree(await opened.tree(), path).node?.type === 'file'
  }

  async #find(from: FileSource, path: string) {
    const opened = await this.#session.source(from, this.#frame.stageOf, this.#frame)
    const step = { kind: 'copy', sources: [path], files: [], remotes: [], destination: '/' } as const
    return { opened, copy: await planCopyOf(this.#session, step, opened, this.#frame) }
  }

  /** A directory that outlives the step, if the caller has a place for such. */
  async #cache(mount: CacheMount, seed: string | undefined): Promise<string> {
    const { cacheMounts } = this.#settings
    const create = async (path: string) => {
      await this.#place.files.makeDirectory(path, mount)
      if (mount.from) await this.#unpack(mount.from, mount.source, path)
    }
    if (cacheMounts === undefined) {
      const path = this.#newPath()
      await create(path)
      return path
    }
    const { id, sharing } = mount
    const { files } = this.#place
    const remove = (path: string) => files.remove(path)
    const spec = { id, sharing, seed, create, remove }
    const opened = await openCacheMount(cacheMounts, spec, { signal: this.#frame.signal })
    this.#opened.push(opened)
    return opened.path
  }

  /** Text that fixes the files that a new directory begins with. */
  async #seedOf({ from, source }: CacheMount): Promise<string | undefined> {
    if (!from) return undefined
    const { opened, copy } = await this.#find(from, source)
    if (opened.chain !== undefined) return `${opened.chain} ${source}`
    return (await inputsPart(await copy.inputs({ signal: this.#frame.signal }))).value
  }

  #newPath(): string {
    return join(this.#place.path, randomBytes(6).toString('hex'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#opened.splice(0)) await one[Symbol.asyncDispose]()
  }
}

/** SAFETY: a NUL byte would end the variable, and an executor would read what follows as something else. */
function textOf(value: string | Uint8Array, id: string): string {
  const text = Buffer.from(value).toString('utf8')
  if (!text.includes('\0')) return text
  const message = `the secret ${JSON.stringify(id)} has a NUL byte, so it cannot be a variable: mount it as a file`
  throw new BuildError('ERR_BUILD_INVALID_STEP', message)
}

function missing(required: boolean, problem: string): undefined {
  if (required) throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', `${problem}, and the step requires it`)
  return undefined
}
