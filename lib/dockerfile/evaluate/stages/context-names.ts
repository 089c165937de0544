import { familiarName, formatPlatform, parseReference } from '../../../oci/index.ts'
import { readPlatform } from '../arguments/platform-arguments.ts'

/** Meaning of a named context: another image, or a context that the caller keeps. */
export type NamedContext = { readonly reference: string } | { readonly context: string }

/** Named contexts by the name that images and stages are looked up with. */
export class ContextNames {
  readonly #contexts: ReadonlyMap<string, NamedContext>

  constructor(contexts: Readonly<Record<string, NamedContext>> = {}) {
    this.#contexts = new Map(Object.entries(contexts).map(([name, context]) => [lookupName(name), context]))
  }

  /** Finds the context of a name; `name::platform` comes before `name`. */
  find(name: string, platform: string): NamedContext | undefined {
    if (/^(?:scratch|context)$/i.test(name) || this.#contexts.size === 0) return undefined
    const key = lookupName(name)
    return this.#contexts.get(`${key}::${formatPlatform(readPlatform(platform))}`) ?? this.#contexts.get(key)
  }
}

/** `alpine`, `alpine:latest` and `docker.io/library/alpine` are one name. */
function lookupName(name: string): string {
  const [image, platform] = name.split('::')
  const suffix = platform === undefined ? '' : `::${platform}`
  try {
    return familiarName(parseReference(image!)).replace(/:latest$/, '') + suffix
  } catch {
    return name
  }
}
