import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ProcessMount } from '../../sandbox/index.ts'
import { parseAmount } from '../amounts/parse-amount.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Options of `run` for mounts. */
export interface MountOptions {
  readonly volume?: readonly string[]
  readonly mount?: readonly string[]
  readonly tmpfs?: readonly string[]
}

/** Mounts of `--volume`, `--mount` and `--tmpfs`; one further down in the tree comes after those above it. */
export function mountsOf({ volume = [], mount = [], tmpfs = [] }: MountOptions): ProcessMount[] {
  const mounts = [...volume.map(ofVolume), ...mount.map(ofMount), ...tmpfs.map(ofTmpfs)]
  const depth = ({ target }: ProcessMount) => target.split('/').filter(Boolean).length
  return mounts.sort((a, b) => depth(a) - depth(b))
}

/** `HOST:PATH[:ro]`. */
function ofVolume(text: string): ProcessMount {
  const [, source = '', target = '', mode = 'rw'] = /^(.+?):([^:]+)(?::([^:]*))?$/.exec(text) ?? []
  if (target === '' || !['ro', 'rw'].includes(mode)) {
    throw new UsageError(`--volume takes HOST:PATH or HOST:PATH:ro; got ${JSON.stringify(text)}`)
  }
  if (!/^[./]/.test(source)) {
    throw new UsageError(`--volume ${text}: there are no named volumes; write ./${source} for a directory`)
  }
  return { type: 'bind', source: sourceOf('--volume', source), target, readOnly: mode === 'ro' }
}

/** `type=bind,source=HOST,target=PATH[,readonly]` and `type=tmpfs,target=PATH[,tmpfs-size=N]`. */
function ofMount(text: string): ProcessMount {
  const fields = Object.fromEntries(text.split(',').map(field => splitField(field)))
  const target = fields.target ?? fields.dst ?? fields.destination
  const source = fields.source ?? fields.src
  const readOnly = ['', 'true', '1'].includes(fields.readonly ?? fields.ro ?? 'false')
  const size = fields['tmpfs-size']
  if (fields.type === 'bind' && source && target) {
    return { type: 'bind', source: sourceOf('--mount', source), target, readOnly }
  }
  if (fields.type === 'tmpfs' && target) {
    return { type: 'tmpfs', target, ...(size !== undefined && { size: parseAmount('--mount', size, 'bytes') }) }
  }
  throw new UsageError(
    '--mount takes type=bind,source=HOST,target=PATH[,readonly] or type=tmpfs,target=PATH[,tmpfs-size=N]; ' +
      `got ${JSON.stringify(text)}`,
  )
}

/** `PATH[:size=N]`. */
function ofTmpfs(text: string): ProcessMount {
  const [target = '', options = ''] = text.split(':', 2)
  const size = /(?:^|,)size=([^,]+)/.exec(options)?.[1]
  return { type: 'tmpfs', target, ...(size !== undefined && { size: parseAmount('--tmpfs', size, 'bytes') }) }
}

function splitField(field: string): [string, string] {
  const equals = field.indexOf('=')
  return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)]
}

/** Path of this machine that a mount names; it must exist. */
function sourceOf(option: string, path: string): string {
  const source = resolve(path)
  if (existsSync(source)) return source
  throw new UsageError(`${option}: ${JSON.stringify(source)} does not exist on this machine; create it first`)
}
