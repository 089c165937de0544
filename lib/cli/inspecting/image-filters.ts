import { ReferenceNotFoundError } from '../../errors/index.ts'
import { parseAmount } from '../amounts/parse-amount.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { ListedImage } from './listed-image.ts'

/** True for images that are listed; `all` are those of the store. */
export type ImageFilter = (image: ListedImage, all: readonly ListedImage[]) => boolean

/**
 * Parses the filters of `images`: `reference=PATTERN`, `label=NAME[=VALUE]`, `platform=PATTERN`, `before=NAME`,
 * `since=NAME`, `until=TIME`, `dangling=BOOLEAN`, and the pattern that docker takes as an argument. Filters of one kind
 * are alternatives, as for docker.
 *
 * @throws {@link UsageError}
 */
export function imageFilter(pattern: string | undefined, filters: readonly string[]): ImageFilter {
  const kinds = new Map<string, ImageFilter[]>()
  const add = (kind: string, filter: ImageFilter) => kinds.set(kind, [...(kinds.get(kind) ?? []), filter])
  if (pattern !== undefined) add('argument', ofReference(pattern))
  for (const text of filters) {
    const [, kind = '', value = ''] = /^([a-z]+)=(.+)$/s.exec(text) ?? []
    add(kind, filterOf(kind, value, text))
  }
  return (image, all) => [...kinds.values()].every(alternatives => alternatives.some(filter => filter(image, all)))
}

function filterOf(kind: string, value: string, text: string): ImageFilter {
  if (kind === 'reference') return ofReference(value)
  if (kind === 'platform') return ({ platforms }) => platforms.some(platform => globOf(value).test(platform))
  if (kind === 'label') return ofLabel(value)
  if (kind === 'before') return byCreation(value, (time, named) => time < named)
  if (kind === 'since') return byCreation(value, (time, named) => time > named)
  if (kind === 'until') return ofTime(value)
  // Every image of a store has a name: an image without one is removed by the next collection.
  if (kind === 'dangling') return () => value === 'false' || value === '0'
  const known =
    'reference=PATTERN, label=NAME[=VALUE], platform=PATTERN, before=NAME, since=NAME, until=TIME, dangling=BOOLEAN'
  throw new UsageError(`--filter takes ${known}; got ${JSON.stringify(text)}`)
}

/**
 * Compares creation times with that of a listed image. Images without a time, or with that of reproducible builds, are
 * the oldest.
 */
function byCreation(name: string, holds: (time: number, named: number) => boolean): ImageFilter {
  const wanted = plainName(name)
  return (image, all) => {
    const named = all.find(one => [wanted, `${wanted}:latest`].includes(plainName(one.name)))
    if (!named) throw new ReferenceNotFoundError(name, { where: 'the store' })
    return holds(timeOf(image), timeOf(named))
  }
}

/** `until=TIME`: created before a date, or longer ago than an age such as `24h`. */
function ofTime(value: string): ImageFilter {
  const date = /^\d{4}-/.test(value) ? Date.parse(value) : Date.now() - parseAmount('--filter until', value, 'time')
  if (Number.isNaN(date)) throw new UsageError(`--filter until takes a date or an age; got ${JSON.stringify(value)}`)
  return image => timeOf(image) < date
}

function timeOf({ created }: ListedImage): number {
  return Date.parse(created ?? '') || 0
}

function ofLabel(value: string): ImageFilter {
  const [name = '', ...rest] = value.split('=')
  return ({ labels }) => {
    const found = labels && Object.hasOwn(labels, name) ? labels[name] : undefined
    return found !== undefined && (rest.length === 0 || found === rest.join('='))
  }
}

/**
 * Docker's patterns of names: `node` is every tag of the repository, `node:22*` some. A star matches no slash.
 */
function ofReference(pattern: string): ImageFilter {
  const plain = plainName(pattern)
  const hasTag = plain.lastIndexOf(':') > plain.lastIndexOf('/')
  const glob = globOf(plain)
  return ({ name }) => {
    const full = plainName(name)
    return glob.test(hasTag ? full : full.replace(/:[^:/]*$/, ''))
  }
}

function plainName(name: string): string {
  return name.replace(/^docker\.io\//, '').replace(/^library\//, '')
}

function globOf(pattern: string): RegExp {
  const source = [...pattern].map(char => (char === '*' ? '[^/]*' : char === '?' ? '[^/]' : escapeChar(char))).join('')
  return new RegExp(`^${source}$`, 'u')
}

function escapeChar(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&')
}
