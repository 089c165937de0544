import type {
  ConfigChange,
  ConfigStep,
  CopyStep,
  FetchStep,
  FileSource,
  RemoteSource,
  RunMount,
  RunStep,
  Step,
  WorkdirStep,
} from '../../dockerfile/index.ts'
import { FormatError } from '../../errors/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import type { Files } from '../../layer/index.ts'
import type { BuildContext } from '../context/build-context.ts'
import { keepContextFaults } from '../context/keep-context-faults.ts'
import { cleanPath, type ScriptedStep, type ScriptState } from './script-state.ts'
import type {
  AddOptions,
  ConfigMember,
  CopyFrom,
  CopySourceOptions,
  RunOptionsOfStage,
  ScriptedMount,
  StepOptions,
} from './scripted-options.ts'

// PERF: the front door exports scripted stages; a program that builds nothing does not load contexts.
async function openFiles(files: Files): Promise<BuildContext> {
  const { openContext } = await import('../context/open-context.ts')
  return openContext({ files }, { name: 'the files of the step' })
}

/** The step of a copy; files in memory become a context of their own. */
export function copyStep(options: CopySourceOptions): ScriptedStep {
  const { files } = options
  if (files !== undefined) keepContextFaults({ files })
  const context = files === undefined ? undefined : openFiles(files)
  // Malformed files are reported when the step is evaluated, not as an unhandled rejection.
  context?.catch(() => undefined)
  return async state => {
    const { chown, chmod, link, exclude, parents = false, itself = false, latestTime } = options
    const source = options.source ?? '.'
    const written = typeof source === 'string' ? [source] : source
    const sources = itself ? written.map(withPivot) : written
    const from = context ? { context: state.bring(await context) } : fileSource(options.from, state)
    const destination = state.resolve(itself && !options.to.endsWith('/') ? `${options.to}/` : options.to)
    const flags = [
      ...(parents || itself ? ['--parents'] : []),
      ...(chown === undefined ? [] : [`--chown=${chown}`]),
      ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ]
    const title = ['COPY', ...flags, ...sources, options.to].join(' ')
    return {
      ...commonOf(options),
      kind: 'copy',
      text: `${title} # buildkit`,
      title,
      from,
      sources,
      destination,
      files: [],
      remotes: [],
      ...given({ chown, chmod, exclude }),
      ...(link ? { link: true } : {}),
      ...(parents || itself ? { parents: true } : {}),
      ...(latestTime === undefined ? {} : { latestTime: secondsOf(latestTime) }),
    } satisfies CopyStep
  }
}

/** A directory that is copied itself is the last component behind a pivot. */
function withPivot(source: string): string {
  const clean = source.replace(/\/+$/, '')
  if (clean.includes('/./')) return clean
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? `./${clean}` : `${clean.slice(0, slash)}/./${clean.slice(slash + 1)}`
}

function fileSource(from: CopyFrom | undefined, state: ScriptState): FileSource {
  if (from === undefined) return { context: '' }
  if (typeof from === 'string') return { reference: from, platform: state.platform }
  if ('parts' in from) return { stage: state.stageIndex(from) }
  if ('tree' in from) return { context: state.bring(from) }
  return { context: from.context }
}

/** The source at an address, as ADD reads it. */
async function remoteOf(address: string, options: AddOptions): Promise<RemoteSource> {
  const { checksum, unpack, keepGitDirectory } = options
  // PERF: loaded when the stages are evaluated, as contexts are.
  const { parseGitAddress, remoteKind } = await import('../../dockerfile/index.ts')
  const isGit = remoteKind(address) === 'git'
  if (!isGit) return { url: address, ...given({ checksum }), ...(unpack ? { unpack: true } : {}) }
  const source = parseGitAddress(address, { checksum, keepGitDirectory })
  if (typeof source !== 'string') return source
  throw new FormatError('ERR_INVALID_ARGUMENT', `not a git address: ${source}`)
}

/** The step of a download. */
export function addStep(address: string, to: string, options: AddOptions): ScriptedStep {
  return async state => {
    const { chown, chmod, link, latestTime } = options
    const title = `ADD ${address} ${to}`
    return {
      ...commonOf(options),
      kind: 'fetch',
      text: `${title} # buildkit`,
      title: withoutCredentials(title),
      destination: state.resolve(to),
      remotes: [await remoteOf(address, options)],
      ...given({ chown, chmod }),
      ...(link ? { link: true } : {}),
      ...(latestTime === undefined ? {} : { latestTime: secondsOf(latestTime) }),
    } satisfies FetchStep
  }
}

/** The step of a command: text for the shell, or a program with its arguments. */
export function commandStep(command: string | readonly string[], options: RunOptionsOfStage): ScriptedStep {
  return async state => {
    const isText = typeof command === 'string'
    const words = isText ? [...state.shell, command] : command
    const mounts: RunMount[] = []
    for (const mount of options.mounts ?? []) mounts.push(mountOf(mount, state))
    return {
      ...commonOf(options),
      kind: 'run',
      text: `RUN ${words.join(' ')} # buildkit`,
      title: `RUN ${isText ? command : JSON.stringify(command)}`,
      command: isText ? { shell: state.shell, text: command } : { args: command },
      mounts,
      network: options.network ?? 'default',
      environment: state.environment,
      user: state.user,
      workdir: state.workdir,
    } satisfies RunStep
  }
}

function mountOf(mount: ScriptedMount, state: ScriptState): RunMount {
  const at = (target: string) => cleanPath(target.startsWith('/') ? target : `${state.workdir}/${target}`)
  if ('cache' in mount) {
    const target = at(mount.cache)
    const { id = target, sharing = 'shared', source = '/', uid = 0, gid = 0, mode = 0o755 } = mount
    const from = mount.from === undefined ? undefined : fileSource(mount.from, state)
    return { type: 'cache', target, id, sharing, ...given({ from }), source, readOnly: false, uid, gid, mode }
  }
  if ('tmpfs' in mount) return { type: 'tmpfs', target: at(mount.tmpfs), ...given({ size: mount.size }) }
  if ('ssh' in mount) {
    const { ssh: id, target, required = true } = mount
    return { type: 'ssh', id, ...given({ target }), required, uid: 0, gid: 0, mode: 0o600 }
  }
  if ('secret' in mount) {
    const { secret: id, env, required = true } = mount
    const target = mount.target ?? (env === undefined ? `/run/secrets/${id}` : undefined)
    return { type: 'secret', id, required, uid: 0, gid: 0, mode: 0o400, ...given({ target, env }) }
  }
  const from = fileSource(mount.from, state)
  return { type: 'bind', target: at(mount.bind), from, source: mount.source ?? '/', readOnly: !mount.writable }
}

/** The step of a working directory. */
export function workdirStep(path: string, options: StepOptions): ScriptedStep {
  return state => {
    const absolute = cleanPath(path.startsWith('/') ? path : `${state.workdir}/${path}`)
    state.workdir = absolute
    const text = `WORKDIR ${absolute}`
    return {
      ...commonOf(options),
      kind: 'workdir',
      text,
      title: `WORKDIR ${path}`,
      path: absolute,
      user: state.user,
    } satisfies WorkdirStep
  }
}

/** Variables, or a function that makes them when the build is planned. */
export type Variables = Readonly<Record<string, string>>

/** The step of variables. A function is called once. */
export function envStep(variables: Variables | (() => Variables | Promise<Variables>)): ScriptedStep {
  let made: Promise<Variables> | undefined
  return async state => {
    made ??= (async () => (typeof variables === 'function' ? variables() : variables))()
    const pairs = Object.entries(await made)
    for (const [name, value] of pairs) {
      if (name === '' || name.includes('=') || typeof value !== 'string') {
        throw new FormatError(
          'ERR_INVALID_ARGUMENT',
          `not a variable of an environment: ${JSON.stringify([name, value])}`,
        )
      }
      state.env.set(name, value)
    }
    return configStep(`ENV ${joinPairs(pairs)}`, { env: pairs })
  }
}

/** The step of a change of the config that depends on nothing. */
export function configStep(text: string, set: ConfigChange): ConfigStep {
  return { kind: 'config', text, title: text, set }
}

/** `K=V K2=V2`, as the history has it. */
export function joinPairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join(' ')
}

/** `["a" "b"]`, as the history has it. */
export function wordsOf(words: readonly string[]): string {
  return `[${words.map(word => JSON.stringify(word)).join(' ')}]`
}

const MEMBERS: Readonly<Record<ConfigMember, string>> = {
  env: 'Env',
  volumes: 'Volumes',
  ports: 'ExposedPorts',
  labels: 'Labels',
  entrypoint: 'Entrypoint',
  cmd: 'Cmd',
  user: 'User',
  workdir: 'WorkingDir',
  healthcheck: 'Healthcheck',
  stopSignal: 'StopSignal',
}

/** The step that removes what the base set. */
export function resetStep(members: readonly ConfigMember[]): ScriptedStep {
  return (state): Step => {
    for (const member of members) {
      if (!Object.hasOwn(MEMBERS, member)) {
        throw new FormatError('ERR_INVALID_ARGUMENT', `not a part of the config: ${JSON.stringify(member)}`)
      }
    }
    if (members.includes('env')) state.env.clear()
    if (members.includes('cmd')) state.hasCommand = false
    if (members.includes('user')) state.user = ''
    if (members.includes('workdir')) state.workdir = '/'
    return configStep(`RESET ${members.join(' ')}`, { reset: members.map(member => MEMBERS[member]) })
  }
}

function commonOf({ noCache, squash }: StepOptions): { noCache?: true; squash?: string } {
  return { ...(noCache ? { noCache: true as const } : {}), ...(squash === undefined ? {} : { squash }) }
}

/** The members that are set. */
function given<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}

function secondsOf(time: number | Date): number {
  return typeof time === 'number' ? time : Math.floor(time.getTime() / 1000)
}
