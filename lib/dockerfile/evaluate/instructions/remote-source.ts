import type { GitSource, HttpSource } from '../../data/step.ts'

/** Options of an ADD that concern its remote sources. */
export interface RemoteOptions {
  /** Digest of the file, or the commit of the repository. */
  readonly checksum?: string | undefined
  /** True if an archive is unpacked. */
  readonly unpack?: boolean | undefined
  /** True if the directory `.git` is kept. */
  readonly keepGitDirectory?: boolean | undefined
}

/** Kind of a source of ADD: a file at an address, a git repository, or `undefined` for a path. */
export type RemoteKind = 'http' | 'git' | undefined

/**
 * Tells remote sources from paths, as ADD does: `git://`, `ssh://`, `user@host:` and http(s) paths that end with `.git`
 * are repositories, other http(s) addresses files.
 */
export function remoteKind(source: string): RemoteKind {
  if (/^(?:git|ssh):\/\//.test(source) || /^[\w.-]+@[\w.-]+:/.test(source)) return 'git'
  if (!/^https?:\/\//.test(source)) return undefined
  return /^[^?#]*\.git(?:[?#]|$)/.test(source) ? 'git' : 'http'
}

/** Makes the source of a file at an address. */
export function httpSource(url: string, { checksum, unpack }: RemoteOptions): HttpSource {
  return { url, ...(checksum && { checksum }), ...(unpack && { unpack }) }
}

/** Keys that the query of a git address may have. */
const KEYS: ReadonlySet<string> = new Set([
  'ref',
  'tag',
  'branch',
  'subdir',
  'checksum',
  'commit',
  'keep-git-dir',
  'submodules',
  'mtime',
  'fetch-by-commit',
])

/**
 * Parses the source of a git repository from `address#ref:subdirectory` or the query; returns a text that describes the
 * fault of an invalid one.
 */
export function parseGitAddress(address: string, options: RemoteOptions = {}): GitSource | string {
  const [beforeFragment, fragment = ''] = cut(address, '#')
  const [git, query] = cut(beforeFragment, '?')
  const settings = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query ?? '')) {
    if (!KEYS.has(key)) return `unknown key ${JSON.stringify(key)} in the query of a git address`
    if (settings.has(key)) return `duplicate key ${JSON.stringify(key)} in the query of a git address`
    settings.set(key, value)
  }
  const [fragmentRef, fragmentDirectory] = cut(fragment, ':')
  const named = (kind: string, prefix: string) => settings.get(kind) && prefix + settings.get(kind)!.replace(prefix, '')
  const refs = [fragmentRef, settings.get('ref'), named('tag', 'refs/tags/'), named('branch', 'refs/heads/')].filter(
    Boolean,
  )
  if (refs.length > 1) return 'more than one ref in a git address'
  const checksum = options.checksum ?? settings.get('checksum') ?? settings.get('commit')
  const keep = options.keepGitDirectory ?? isOn(settings.get('keep-git-dir'))
  const subdirectory = fragmentDirectory || settings.get('subdir')
  return {
    git,
    ...(refs[0] && { ref: refs[0] }),
    ...(subdirectory && { subdirectory }),
    ...(checksum && { checksum }),
    ...(keep && { keepGitDirectory: true }),
    ...(isOn(settings.get('submodules') ?? 'true') ? {} : { submodules: false }),
  }
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !/^(?:0|f|false)$/i.test(value)
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
