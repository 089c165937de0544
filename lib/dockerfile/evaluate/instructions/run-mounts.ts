import type { FileSource } from '../../data/file-source.ts'
import type { RunMount } from '../../data/run-mount.ts'
import { didYouMean } from '../../document/did-you-mean.ts'
import { quoted } from '../../document/dockerfile-fault.ts'
import type { Position } from '../../document/document.ts'
import { readMountFields } from '../../document/mount-fields.ts'
import { baseName } from './base-name.ts'
import { expandIn, type InstructionContext } from './instruction-context.ts'
import { joinPath } from './join-path.ts'

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const
type MountType = (typeof TYPES)[number]

/** Keys by their main name. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ...['type', 'from', 'source', 'target', 'readonly', 'readwrite', 'id', 'sharing', 'required'].map(pair),
  ...['size', 'mode', 'uid', 'gid', 'env'].map(pair),
  ['src', 'source'],
  ['dst', 'target'],
  ['destination', 'target'],
  ['ro', 'readonly'],
  ['rw', 'readwrite'],
])

function pair(name: string): [string, string] {
  return [name, name]
}

/** Mount types that a key is for; every other key is for all. */
const ONLY_FOR: ReadonlyMap<string, readonly MountType[]> = new Map([
  ['required', ['secret', 'ssh']],
  ['size', ['tmpfs']],
  ['env', ['secret']],
  ['sharing', ['cache']],
  ['mode', ['secret', 'ssh', 'cache']],
  ['uid', ['secret', 'ssh', 'cache']],
  ['gid', ['secret', 'ssh', 'cache']],
])

/** Evaluates the `--mount` flags of RUN. */
export function runMounts(context: InstructionContext): RunMount[] {
  return context.instruction.flags
    .filter(({ name }) => name === 'mount')
    .map(({ value, position }) => new MountReader(value!, position, context).read())
}

class MountReader {
  readonly #context: InstructionContext
  readonly #position: Position
  readonly #values = new Map<string, string>()
  #readOnly: boolean | undefined

  constructor(value: string, position: Position, context: InstructionContext) {
    this.#context = context
    this.#position = position
    for (const { key, value: text, text: field } of readMountFields(value)!) this.#take(key, text, field)
  }

  read(): RunMount {
    const type = (this.#values.get('type') ?? 'bind').toLowerCase() as MountType
    if (!TYPES.includes(type)) this.#fail(`unknown mount type ${quoted(type)}`, didYouMean(type, TYPES))
    for (const key of this.#values.keys()) {
      if (ONLY_FOR.get(key)?.includes(type) === false) this.#fail(`${key} is not allowed for mounts of type ${type}`)
    }
    if (type === 'secret') return this.#secret()
    if (type === 'ssh') {
      const target = this.#values.get('target')
      const path = target && joinPath(this.#context.state.workdir, target)
      return { type, id: this.#values.get('id') || 'default', ...(path && { target: path }), ...this.#access(0o600) }
    }
    const target = joinPath(this.#context.state.workdir, this.#values.get('target') ?? '')
    if (target === '/') this.#fail('a mount needs a target, and it cannot be /')
    if (type === 'tmpfs') return { type, target, ...this.#size() }
    const source = joinPath('/', this.#values.get('source') ?? '')
    if (type === 'cache') return this.#cache(target, source)
    return { type, target, from: this.#from() ?? { context: '' }, source, readOnly: this.#readOnly ?? true }
  }

  #take(written: string, text: string | undefined, field: string): void {
    const key = KEYS.get(written)
    if (key === undefined) this.#fail(`unknown key ${quoted(written)} of --mount`, didYouMean(written, KEYS.keys()))
    if (text === undefined && !['readonly', 'readwrite', 'required'].includes(key)) {
      this.#fail(`${quoted(field)} of --mount has no value`)
    }
    const value = text === undefined ? 'true' : expandIn(this.#context, text, this.#position)
    if (key === 'readonly') this.#readOnly = this.#boolean(key, value)
    else if (key === 'readwrite') this.#readOnly = !this.#boolean(key, value)
    else this.#values.set(key, value)
  }

  #cache(target: string, source: string): RunMount {
    const sharing = (this.#values.get('sharing') || 'shared').toLowerCase()
    if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') {
      this.#fail(`sharing ${quoted(sharing)} is none of shared, private, locked`)
    }
    const from = this.#from()
    return {
      type: 'cache',
      target,
      id: this.#values.get('id') || target,
      sharing,
      ...(from && { from }),
      source,
      readOnly: this.#readOnly ?? false,
      ...this.#owner(),
      mode: this.#number('mode', 8) ?? 0o755,
    }
  }

  #secret(): RunMount {
    const source = this.#values.get('source')
    const target = this.#values.get('target')
    const env = this.#values.get('env')
    if (this.#values.get('from')) this.#fail('a secret has no from')
    if (source && this.#values.get('id')) this.#fail('a secret has a source or an id, not both')
    const id = source || this.#values.get('id') || (target && baseName(target))
    if (!id) return this.#fail('a secret needs an id, a source or a target')
    const path = target
      ? joinPath(this.#context.state.workdir, target)
      : env === undefined && `/run/secrets/${baseName(id)}`
    return {
      type: 'secret',
      id,
      ...(path && { target: path }),
      ...(env !== undefined && { env: env || id }),
      ...this.#access(0o400),
    }
  }

  #access(mode: number): { required: boolean; uid: number; gid: number; mode: number } {
    const required = this.#boolean('required', this.#values.get('required') ?? 'false')
    return { required, ...this.#owner(), mode: this.#number('mode', 8) ?? mode }
  }

  #owner(): { uid: number; gid: number } {
    return { uid: this.#number('uid', 10) ?? 0, gid: this.#number('gid', 10) ?? 0 }
  }

  #from(): FileSource | undefined {
    const name = this.#values.get('from')
    return name ? this.#context.source(name) : undefined
  }

  #size(): { size?: number } {
    const text = this.#values.get('size')
    if (text === undefined) return {}
    const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text)
    if (!match) return this.#fail(`size ${quoted(text)} is not a number of bytes, such as 64m`)
    return { size: Math.trunc(Number(match[1]) * 1024 ** '_kmgtp'.indexOf(match[2]!.toLowerCase() || '_')) }
  }

  #number(key: string, radix: 8 | 10): number | undefined {
    const text = this.#values.get(key)
    if (text === undefined) return undefined
    const number = (radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) ? Number.parseInt(text, radix) : Number.NaN
    if (!(number <= 0xffff_ffff)) this.#fail(`${key} ${quoted(text)} is not ${radix === 8 ? 'an octal' : 'a'} number`)
    return number
  }

  /** The words of Go's `strconv.ParseBool`. */
  #boolean(key: string, text: string): boolean {
    if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(text)) {
      this.#fail(`${key} is true or false, not ${quoted(text)}`)
    }
    return /^[1tT]/.test(text)
  }

  #fail(message: string, hint?: string): never {
    return this.#context.scope.fail(this.#position, message, { hint })
  }
}
