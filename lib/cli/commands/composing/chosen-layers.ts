import type { Image } from '../../../image/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { countOf } from '../../printing/count-of.ts'

/**
 * Layers that a user chose, as indexes from 0. The user counts from 1, the lowest layer first: `3`, `2..5`, `-1` for
 * the highest; or names a layer by its digest or diffID, or by the beginning of one.
 */
export function chosenLayers(option: string, text: string, { layers }: Image): number[] {
  const [, first, last = first] = /^(-?\d{1,4})(?:\.\.(-?\d{1,4}))?$/.exec(text) ?? []
  if (first === undefined || last === undefined) return [byDigest(option, text, layers)]
  const [from, to] = [first, last].map(number => placeOf(Number(number), layers.length)) as [number, number]
  if (from >= 0 && to >= from && to < layers.length) return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  throw new UsageError(
    `${option} ${text}: the image has ${countOf(layers.length, 'layer')}, counted from 1, the lowest first`,
  )
}

function placeOf(number: number, count: number): number {
  return number < 0 ? count + number : number - 1
}

function byDigest(option: string, text: string, layers: Image['layers']): number {
  const hex = text.replace(/^sha256:/, '')
  const isNamed = (digest: string) => digest === text || digest.replace(/^[a-z0-9]+:/, '').startsWith(hex)
  const found = /^[0-9a-f]{6,}$/.test(hex)
    ? layers.flatMap(({ descriptor, diffId }, i) => (isNamed(descriptor.digest) || isNamed(diffId) ? [i] : []))
    : []
  if (found.length === 1) return found[0]!
  const what = found.length > 1 ? 'is the beginning of several digests' : 'names no layer'
  throw new UsageError(
    `${option} ${JSON.stringify(text)} ${what}: give a number from 1 to ${layers.length}, or a digest`,
  )
}
