import type { AbortOptions } from '../../internal/abort.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import type { ImageContents } from '../read-layers.ts'
import type { HiddenFile } from '../waste/find-hidden.ts'
import { scanLayer } from './scan-layer.ts'
import { SECRET_NAME } from './secret-places.ts'

/** A secret that any reader of the image can read. The secret itself is never in the result. */
export type FoundSecret =
  | {
      /** Discriminant: a file of a layer. */
      readonly where: 'file'
      /** Kind of secret, e.g. `private key`. */
      readonly kind: string
      /** The path, without a leading `/`. */
      readonly path: string
      /** Index of the layer that stores the file. */
      readonly layer: number
      /** False if an upper layer removes or replaces the file: the layer still has it. */
      readonly visible: boolean
      /** Index of the layer that hides it, if that is known. */
      readonly hiddenBy?: number
    }
  | {
      /** Discriminant: a variable of the config, or of a command in the history. */
      readonly where: 'env' | 'history'
      /** Kind of secret. */
      readonly kind: 'variable'
      /** Name of the variable. */
      readonly variable: string
    }

/**
 * Finds files that hold secrets in all layers, also those that an upper layer removes, and variables that do.
 *
 * SAFETY: a secret must not get into a report, a log or a fact, so only its place is kept.
 */
export async function findSecrets(
  store: ViewStore,
  contents: ImageContents,
  hidden: readonly HiddenFile[],
  options: AbortOptions,
): Promise<readonly FoundSecret[]> {
  const found: FoundSecret[] = []
  const hiders = new Map(hidden.map(file => [`${file.layer} ${file.path}`, file]))
  for (const layer of contents.layers) {
    options.signal?.throwIfAborted()
    for (const { kind, path } of await scanLayer(store, layer, options)) {
      const hider = hiders.get(`${layer.index} ${path}`)
      const place = { where: 'file', kind, path, layer: layer.index, visible: hider === undefined } as const
      found.push(hider?.by === undefined ? place : { ...place, hiddenBy: hider.by })
    }
  }
  return [...found, ...variablesOf(contents)]
}

function variablesOf({ image: { config } }: ImageContents): FoundSecret[] {
  const env = (config.config?.Env ?? []).flatMap(variable => secretNames(variable))
  const texts = (config.history ?? []).map(({ created_by = '' }) => created_by.replace(/^\/bin\/sh -c #\(nop\)\s+/, ''))
  // A later step may have taken a variable of ENV out of the config; the history still shows its value.
  const inHistory = new Set(
    texts.flatMap(text => [
      ...argumentsOf(text).flatMap(secretNames),
      ...settingsOf(text)
        .flatMap(secretNames)
        .filter(name => !env.includes(name)),
    ]),
  )
  return [
    ...env.map(variable => ({ where: 'env', kind: 'variable', variable }) as const),
    ...[...inHistory].map(variable => ({ where: 'history', kind: 'variable', variable }) as const),
  ]
}

/** Variables of ENV: `ENV A=1 B=2`, or `ENV A 1`. The value of a variable is cut at the next one. */
function settingsOf(text: string): string[] {
  const [, rest] = /^ENV\s+(.*)$/s.exec(text) ?? []
  if (rest === undefined) return []
  if (/^\w+=/.test(rest)) return rest.split(/\s(?=\w+=)/)
  return [rest.replace(/\s+/, '=')]
}

/**
 * Variables in the text of a step: build arguments, which builders write before the command as `|2 A=1 B=2 /bin/sh -c`
 * or `RUN |2 A=1 …`, and those of ARG.
 */
function argumentsOf(text: string): string[] {
  if (/^ARG\s/.test(text)) return [text.slice(4).trim()]
  const [, count = '0', rest = ''] = /^(?:RUN )?\|(\d+)\s(.*)$/s.exec(text) ?? []
  return rest.split(/ (?=\w+=)/).slice(0, Number(count))
}

/** Name of a variable whose name says that it is secret, and whose value is no reference and no path. */
function secretNames(variable: string): string[] {
  const equals = variable.indexOf('=')
  const [name, value] = [variable.slice(0, equals), variable.slice(equals + 1)]
  const isSecret = equals > 0 && SECRET_NAME.test(name) && value.trim() !== '' && !/^["']?[$/]/.test(value)
  return isSecret ? [name] : []
}
