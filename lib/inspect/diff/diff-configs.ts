import type { Image } from '../../image/index.ts'
import { canonicalText } from '../../internal/canonical-json.ts'
import type { ConfigDifference } from './image-diff.ts'

/** Members of the config that are no property of the image, or are compared elsewhere. */
const NOT_COMPARED = new Set(['created', 'history', 'rootfs', 'config', 'container', 'container_config'])

/** Members of the run configuration that are maps; `Env` is one too, as `NAME=value`. */
const MAPS = new Set(['Env', 'Labels', 'ExposedPorts', 'Volumes'])

/** Compares the configs and the annotations of two images; members and names are in alphabetical order. */
export function diffConfigs(before: Image, after: Image): ConfigDifference[] {
  const changes: ConfigDifference[] = []
  const runBefore = asRecord(before.config.config)
  const runAfter = asRecord(after.config.config)
  for (const member of keysOf(runBefore, runAfter)) {
    if (MAPS.has(member)) changes.push(...diffMaps(member, mapOf(runBefore[member]), mapOf(runAfter[member])))
    else changes.push(...changeOf({ member }, meant(runBefore[member]), meant(runAfter[member])))
  }
  const [lower, upper] = [asRecord(before.config), asRecord(after.config)]
  for (const member of keysOf(lower, upper).filter(key => !NOT_COMPARED.has(key))) {
    changes.push(...changeOf({ member }, meant(lower[member]), meant(upper[member])))
  }
  const annotations = [before, after].map(({ manifest }) => asRecord(manifest.annotations)) as [Values, Values]
  return [...changes, ...diffMaps('annotations', ...annotations)]
}

type Values = Readonly<Record<string, unknown>>

function asRecord(value: object | undefined): Values {
  return (value ?? {}) as Values
}

function keysOf(...records: readonly Values[]): string[] {
  return [...new Set(records.flatMap(record => Object.keys(record)))].sort()
}

/** A list of variables as a map; of a variable that is there twice the last value counts. */
function mapOf(value: unknown): Values {
  if (!Array.isArray(value)) return asRecord(value as object | undefined)
  return Object.fromEntries(
    (value as readonly string[]).map(variable => {
      const equals = variable.indexOf('=')
      return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)]
    }),
  )
}

function diffMaps(member: string, before: Values, after: Values): ConfigDifference[] {
  return keysOf(before, after).flatMap(name => changeOf({ member, name }, before[name], after[name]))
}

function changeOf(
  place: Pick<ConfigDifference, 'member' | 'name'>,
  before: unknown,
  after: unknown,
): ConfigDifference[] {
  const isSame =
    before === undefined || after === undefined ? before === after : canonicalText(before) === canonicalText(after)
  if (isSame) return []
  return [{ ...place, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

/** Docker leaves out what is empty, other tools write it. Both mean the same. */
function meant(value: unknown): unknown {
  const isEmpty =
    value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
  return isEmpty ? undefined : value
}
