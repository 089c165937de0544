import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import { openContext } from '../context/open-context.ts'
import { from, type ScriptedStage } from './scripted-stage.ts'

/** Options of {@link staticSite}. */
export interface StaticSiteOptions extends AbortOptions {
  /** Base image, with a web server. @defaultValue `'nginx:alpine'` */
  readonly base?: string | ScriptedStage | undefined
  /** Directory that the server of the base serves. @defaultValue `'/usr/share/nginx/html'` */
  readonly at?: string | undefined
  /** Port that the server listens on. @defaultValue `80` */
  readonly port?: number | undefined
  /** Patterns of files to leave out, beside those of the ignore file. */
  readonly exclude?: readonly string[] | undefined
  /** Store that keeps the digests of files between builds. */
  readonly store?: Store | undefined
}

/**
 * Makes a stage of a directory of files for a web server. Modes do not matter: every file may be read by the server.
 *
 * @example
 * ```ts
 * await (await staticSite('dist')).build(store, { names: ['site:1.0'] })
 * ```
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND` if the directory does not exist.
 */
export async function staticSite(directory: string, options: StaticSiteOptions = {}): Promise<ScriptedStage> {
  const { base = 'nginx:alpine', at = '/usr/share/nginx/html', port = 80, exclude = ['.git'], store, signal } = options
  const site = await openContext(directory, { store, signal, name: 'the site' })
  const to = at.endsWith('/') ? at : `${at}/`
  return from(base).context(site).ownContext(site).copy('.', to, { exclude, chmod: 'u=rwX,go=rX' }).expose(port)
}
