import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ContextSource, LayoutImage } from '../../build/index.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Named contexts: files, images by reference, and images of layouts by the references that the stages use. */
export interface BuildContexts {
  readonly files: Readonly<Record<string, ContextSource>>
  readonly images: Readonly<Record<string, string>>
  readonly layouts: Readonly<Record<string, LayoutImage>>
}

const KINDS = 'DIR, docker-image://REF, oci-layout://DIR[:TAG|@DIGEST], an http(s) address or a git address'

/** Contexts of `--build-context NAME=VALUE`. */
export async function namedContextsOf(options: readonly string[] = []): Promise<BuildContexts> {
  const files: Record<string, ContextSource> = {}
  const images: Record<string, string> = {}
  const layouts: Record<string, LayoutImage> = {}
  for (const option of options) {
    const equals = option.indexOf('=')
    const [name, value] = [option.slice(0, Math.max(0, equals)), option.slice(equals + 1)]
    if (!name || !value) throw new UsageError(`--build-context takes NAME= and ${KINDS}, not ${option}`)
    const [scheme, rest] = schemeOf(value)
    if (scheme === 'docker-image') images[name] = rest
    else if (scheme === 'oci-layout') {
      const layout = layoutOf(name, rest)
      images[name] = `oci-layout://${layout.directory}${layout.name === undefined ? '' : `:${layout.name}`}`
      layouts[images[name]] = layout
    } else if (scheme === 'local') files[name] = { directory: rest }
    else files[name] = (await remoteContext(value)) ?? directoryOf(name, scheme, value)
  }
  return { files, images, layouts }
}

/** The source of a context at an address: a git repository, or a file; `undefined` for a path. */
export async function remoteContext(place: string): Promise<ContextSource | undefined> {
  const { remoteKind } = await import('../../dockerfile/index.ts')
  const kind = remoteKind(place)
  if (kind === 'git') return { git: place }
  if (kind === 'http') return { url: place }
  // docker's short form; a directory of that name comes first.
  const isShort = /^github\.com\/[\w.-]+\/[\w.-]+/.test(place)
  return isShort && !(await exists(place)) ? { git: `https://${place}` } : undefined
}

function schemeOf(value: string): [scheme: string | undefined, rest: string] {
  const [, scheme, rest] = /^([a-z][a-z0-9-]*):\/\/(.*)$/s.exec(value) ?? /^(local|target):(.*)$/s.exec(value) ?? []
  return [scheme, rest ?? value]
}

function directoryOf(name: string, scheme: string | undefined, value: string): ContextSource {
  if (scheme === undefined) return { directory: value }
  throw new UsageError(`--build-context ${name}: ${scheme} is not supported; use ${KINDS}`)
}

/** `DIR[:TAG][@DIGEST]`; the digest decides if both are there. */
function layoutOf(name: string, text: string): LayoutImage {
  const [, directory, tag, digest] = /^(.*?)(?::([^/:@]+))?(?:@([a-z0-9]+:[0-9a-f]+))?$/s.exec(text) ?? []
  if (!directory) throw new UsageError(`--build-context ${name}: not oci-layout://DIR[:TAG|@DIGEST]: ${text}`)
  const image = digest ?? tag
  return { directory: resolve(directory), ...(image !== undefined && { name: image }) }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
