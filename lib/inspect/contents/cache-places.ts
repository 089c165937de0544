/** A directory that a package manager or a system leaves behind. */
export interface CachePlace {
  /** Name of the program or of the kind of files. */
  readonly kind: string
  /** Matches the directory at the start of a path. */
  readonly pattern: RegExp
  /** Way to build the image without it. */
  readonly advice: string
}

const HOME = '(?:root|home/[^/]+)'

/** Builds a place from the text of a pattern. */
function place(kind: string, directory: string, advice: string): CachePlace {
  return { kind, pattern: new RegExp(`^${directory}(?=/)`), advice }
}

/** Advice to mount a cache while the step runs. */
function mount(target: string): string {
  return `mount it in the step: RUN --mount=type=cache,target=${target}`
}

/** Places in which build steps leave files that no container needs. */
export const CACHE_PLACES: readonly CachePlace[] = [
  place('apt', 'var/lib/apt/lists', 'end the step with: rm -rf /var/lib/apt/lists/*'),
  place('apt', 'var/cache/apt', mount('/var/cache/apt,sharing=locked')),
  place('apk', '(?:var/cache/apk|etc/apk/cache)', 'use: apk add --no-cache'),
  place('dnf', 'var/cache/(?:dnf|yum|libdnf5)', 'end the step with: dnf clean all'),
  place('zypper', 'var/cache/zypp', 'end the step with: zypper clean --all'),
  place('pacman', 'var/cache/pacman', 'end the step with: pacman -Scc --noconfirm'),
  place('pip', `${HOME}/\\.cache/pip`, 'use: pip install --no-cache-dir'),
  place('uv', `${HOME}/\\.cache/uv`, 'use: uv pip install --no-cache'),
  place('poetry', `${HOME}/\\.cache/pypoetry`, mount('/root/.cache/pypoetry')),
  place('conda', '(?:opt|root|usr/local)/(?:mini|ana)?conda3?/pkgs', 'end the step with: conda clean --all --yes'),
  place('npm', `(?:${HOME}/)?\\.npm/(?:_cacache|_logs)`, 'end the step with: npm cache clean --force'),
  place(
    'yarn',
    `(?:usr/local/share/\\.cache/yarn|${HOME}/\\.(?:cache/yarn|yarn/berry/cache))`,
    'use: yarn cache clean',
  ),
  place(
    'pnpm',
    `(?:${HOME}/\\.local/share/pnpm/store|(?:[^/]+/)*\\.pnpm-store)`,
    mount('/root/.local/share/pnpm/store'),
  ),
  place('bun', `${HOME}/\\.bun/install/cache`, mount('/root/.bun/install/cache')),
  place('go', `(?:${HOME}/)?go/pkg/mod/cache`, mount('/go/pkg/mod')),
  place('go', `${HOME}/\\.cache/go-build`, mount('/root/.cache/go-build')),
  place('cargo', `(?:usr/local/cargo|${HOME}/\\.cargo)/(?:registry|git)`, mount('/usr/local/cargo/registry')),
  place('maven', `${HOME}/\\.m2/repository`, mount('/root/.m2')),
  place('gradle', `${HOME}/\\.gradle/(?:caches|wrapper)`, mount('/root/.gradle')),
  place(
    'gem',
    '(?:usr/local/bundle|var/lib/gems/[^/]+|usr/lib/ruby/gems/[^/]+)/cache',
    'end the step with: rm -rf of it',
  ),
  place('composer', `${HOME}/\\.(?:composer/cache|cache/composer)`, mount('/root/.composer/cache')),
  place('nuget', `${HOME}/\\.(?:nuget/packages|local/share/NuGet)`, mount('/root/.nuget/packages')),
  place('temporary files', '(?:var/)?tmp', 'remove them in the step that makes them'),
  place('logs', 'var/log', 'remove them in the step that makes them'),
]
