/**
 * Words of docker, podman, crane, skopeo, regctl and oras, and what does the same here. A word that is a command here
 * is never looked up.
 *
 * SAFETY: a suggestion by spelling could be the opposite of what was typed (`export`: `import`) or destroy something
 * (`run`: `rm`), so known words have entries of their own.
 */
const WORDS: Readonly<Record<string, string>> = {
  ...wordsFor(
    'use "layerstore rm NAME" for a name in the store, "layerstore rm --remote REF" for a tag in a registry',
    ...['rmi', 'untag', 'remove', 'delete', 'del'],
  ),
  ...wordsFor('use "layerstore gc" to remove what no name needs', 'clean', 'cleanup'),
  ...wordsFor('use "layerstore images"', 'list', 'image'),
  ...wordsFor('use "layerstore tags REPOSITORY" to list the tags in a registry', 'list-tags', 'tag-list', 'repo'),
  ...wordsFor('use "layerstore copy SRC DST"', 'cp', 'sync', 'mirror'),
  ...wordsFor('use "layerstore edit NAME --documents oci|docker" or "--convert gzip|zstd|none"', 'convert'),
  ...wordsFor('use "layerstore pull REF"', 'fetch', 'download', 'get'),
  ...wordsFor('use "layerstore push NAME REF"', 'upload', 'put', 'publish'),
  ...wordsFor('use "layerstore tag SRC DST", then "layerstore rm SRC"', 'mv', 'move', 'rename'),
  ...wordsFor('use "layerstore serve"', 'server', 'registry', 'daemon'),
  ...wordsFor('use "layerstore --version"', 'version'),
  ...wordsFor('use "layerstore df" for the store, "layerstore inspect NAME" for an image', 'info', 'du', 'system'),
  ...wordsFor('use "layerstore append scratch --dir DIR -t NAME" or "layerstore import TAR -t NAME"', 'create', 'new'),
  ...wordsFor(
    'use "layerstore edit NAME --cmd, --env, --label … -t NEW" to change the config',
    'mutate',
    'config-set',
    'mod',
  ),
  ...wordsFor('use "layerstore append BASE --dir DIR[:/at] -t NAME" to add files', 'add'),
  ...wordsFor('use "layerstore build CONTEXT -t NAME"', 'buildx', 'bake', 'buildah'),
  ...wordsFor(
    'use "layerstore unpack NAME DIR" or "layerstore export NAME" for the root filesystem, "layerstore save" for the image',
    'mount',
    'extract',
  ),
  ...wordsFor('use "layerstore inspect DIGEST"; raw blobs are files below blobs/ in the store', 'blob', 'layer'),
  ...wordsFor('use "layerstore history NAME"', 'layers'),
  ...wordsFor('use "layerstore diff A B"', 'compare', 'container-diff'),
  ...wordsFor('use "layerstore analyze NAME"', 'dive', 'analyse'),
  ...wordsFor('use "layerstore check NAME --db DIR" for advisories, "layerstore analyze NAME" for secrets', 'scan'),
  ...wordsFor(
    'use "layerstore login REGISTRY -u USER --password-stdin"; logins of docker and podman are used too',
    'auth',
    'signin',
  ),
  ...wordsFor(
    'the command line does not list repositories; "layerstore tags REPOSITORY" lists tags',
    'catalog',
    'search',
  ),
  ...wordsFor('use "layerstore edit NAME --flatten" or "--squash FROM..TO"', 'flatten', 'squash'),
  ...wordsFor('use "layerstore containers"', 'container', 'top'),
  ...wordsFor(
    'use "layerstore start ID"; to look inside, "layerstore commit ID NAME" and "layerstore run NAME sh"',
    'restart',
    'exec',
    'attach',
  ),
  ...wordsFor('use "layerstore containers stop ID"', 'stop', 'kill'),
  ...wordsFor('the output of a container goes to the terminal or file of its "layerstore run"', 'logs'),
  ...wordsFor(
    'use "layerstore sbom REF --attest" for the packages, "layerstore build --provenance" for a build',
    'attest',
  ),
}

/** Words after `image`, `system` and the like, as docker's management commands have them. */
const PAIRS: Readonly<Record<string, string>> = {
  'image ls': 'use "layerstore images"',
  'image list': 'use "layerstore images"',
  'image rm': 'use "layerstore rm NAME"',
  'image prune': 'use "layerstore gc"',
  'image build': WORDS.buildx!,
  'system df': 'use "layerstore df"',
  'system prune': 'use "layerstore gc"',
  'repo ls': WORDS.catalog!,
  'registry login': WORDS.auth!,
  'auth login': WORDS.auth!,
  'registry serve': 'use "layerstore serve"',
}

/** Commands that a suggestion by spelling never names, because they remove something. */
const DESTRUCTIVE = ['rm', 'gc', 'prune']

/**
 * Advises on a word that is no command.
 *
 * @param args - The word, and the arguments after it.
 * @param commands - Names of all commands.
 */
export function adviseOnCommand(args: readonly string[], commands: readonly string[]): string | undefined {
  const [word = '', next = ''] = args
  const pair = `${word} ${next}`
  if (Object.hasOwn(PAIRS, pair)) return PAIRS[pair]
  if (word === 'image' && commands.includes(next)) return `use "layerstore ${next}"`
  if (Object.hasOwn(WORDS, word)) return WORDS[word]
  const limit = word.length > 4 ? 2 : 1
  const near = commands.filter(name => !DESTRUCTIVE.includes(name) && distance(word, name) <= limit)
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'see "layerstore --help"'
}

function wordsFor(advice: string, ...words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(words.map(word => [word, advice]))
}

/** Number of letters to insert, remove, change or swap with the next one (optimal string alignment). */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return Number.POSITIVE_INFINITY
  const rows = [Array.from({ length: other.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const change = one[i - 1] === other[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const swap = swapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change, swap))
    }
    rows.push(row)
  }
  return rows.at(-1)![other.length]!
}
