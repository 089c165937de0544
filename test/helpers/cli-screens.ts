/**
 * Lines that are typed for each command: at least one that ends with 0, and one that does not. The first one is also
 * run with --json. `@` is the directory with the files, REG a registry with far:1.
 */
export const TYPED: Readonly<Record<string, readonly string[]>> = {
  pull: ['pull REG/far:1 -j 1', 'pull REG/far:1', 'pull REG/far:1 --plan', 'pull REG/far:9', 'pull'],
  push: ['push app:1.1 REG/new:1 -j 1', 'push app:1.1 REG/new:1', 'push none:1 REG/new:1', 'push'],
  copy: ['copy store:app:1.1 oci:@/layout:1 -j 1', 'copy REG/far:1 store:far:2 -j 1', 'copy dir:@/x store:x:1'],
  tags: ['tags REG/far', 'tags REG/none', 'tags REG/far:1'],
  save: ['save app:1.1 -o @/out.tar', 'save none:1 -o @/out.tar', 'save app:1.1 --format zip -o @/out.tar'],
  export: ['export app:1.1 -o @/out.tar', 'export none:1 -o @/out.tar'],
  load: ['load -i @/app.tar', 'load -i @/gone.tar'],
  import: ['import @/rootfs.tar -t base:1 --compression none', 'import @/gone.tar -t x', 'import @/rootfs.tar'],
  login: ['login REG -u me --password-stdin', 'login REG -u me'],
  logout: ['logout REG', 'logout a b'],
  append: [
    'append app:1.1 --dir @/dist:/srv -t app:2 --compression none',
    'append app:1.1 --dir @/gone:/srv -t app:2',
    'append none:1 --dir @/dist -t a:1 --proxy http://127.0.0.1:1',
  ],
  build: ['build @ -t built:1', 'build @ -t built:1 --plan', 'build @/gone -t built:1', 'build @ --progress loud'],
  context: ['context ls @/dist', 'context ls @/gone', 'context show @'],
  lint: ['lint @/Dockerfile', 'lint @/Dockerfile.bad', 'lint @/gone'],
  lock: ['lock update --lock @/image.lock', 'lock update --lock @/gone', 'lock show'],
  pin: ['pin @/Dockerfile', 'pin @/Dockerfile.var --check', 'pin @/Dockerfile.bad', 'pin @/gone'],
  index: ['index create app:1.1 -t multi:1', 'index create none:1 -t multi:1', 'index show multi:1 -t x:1'],
  rebase: [
    'rebase app:1.2 --onto app:1.1 --from app:1.1 -t app:3',
    'rebase app:1.2 --onto none:1 -t app:3',
    'rebase app:1.2',
  ],
  edit: ['edit app:1.1 --env A=2 -t app:2', 'edit app:1.1', 'edit none:1 --env A=2 -t app:2'],
  artifact: [
    'artifact --type text/vnd.x -f @/dist/index.html -t report:1',
    'artifact --type x -t report:1',
    'artifact',
  ],
  attach: ['attach app:1.1 --type text/vnd.x -f @/dist/index.html', 'attach none:1 --type text/vnd.x -f @/gone'],
  referrers: ['referrers app:1.1', 'referrers none:1'],
  run: ['run box:1 ls /bin/sh', 'run -d box:1', 'run box:1 /bin/gone', 'run --pull never none:1'],
  start: ['start work', 'start nothing'],
  commit: ['commit work box:2', 'commit nothing box:2', 'commit work Bad:Name:x'],
  containers: [
    'containers ls --format {{.ID}}|{{.Image}}|{{.Status}}',
    'containers rm work',
    'containers rm nothing',
    'containers show',
  ],
  inspect: [
    'inspect app:1.1',
    'inspect REG/far:1',
    'inspect app:1.1 --format {{.Config.Env}}',
    'inspect none:1',
    'inspect app:1.1 -f {{.None}}',
  ],
  manifest: ['manifest app:1.1', 'manifest none:1'],
  config: ['config app:1.1', 'config app:1.1 --platform linux/s390x'],
  digest: ['digest app:1.1', 'digest REG/far:1', 'digest none:1'],
  files: ['files app:1.1 / -R', 'files app:1.1 /gone'],
  cat: ['cat app:1.1 etc/app.conf', 'cat app:1.1 /gone'],
  history: ['history app:1.1', 'history app:1.1 -q', 'history none:1', 'history app:1.1 --format {{.None}}'],
  diff: ['diff app:1.1 app:1.2', 'diff app:1.1 app:1.2 --exit-code --no-files', 'diff app:1.1 none:1'],
  validate: ['validate app:1.1', 'validate none:1'],
  sign: ['sign app:1.1 --key @/team.key', 'sign app:1.1', 'sign none:1 --key @/team.key', 'sign app:1.1 --key @/none'],
  verify: ['verify oci:@/signed:1 --key @/team.pub', 'verify app:1.1 --key @/team.pub', 'verify app:1.1'],
  'generate-key-pair': [
    'generate-key-pair --output-key-prefix @/new --password-stdin',
    'generate-key-pair --algorithm dsa',
    'generate-key-pair',
  ],
  sbom: ['sbom app:1.1', 'sbom none:1'],
  check: ['check app:1.1 --db @/osv', 'check app:1.1', 'check app:1.1 --db @/dist'],
  dedup: ['dedup app:1.1 app:1.2 --no-compress', 'dedup app:1.1 --chunk-size 5'],
  bench: ['bench @/dist --only dedup --rounds 1', 'bench none:1', 'bench @/dist --only speed'],
  analyze: ['analyze app:1.2', 'analyze app:1.2 --max-size 1B', 'analyze none:1'],
  unpack: ['unpack app:1.1 @/rootfs --rootless', 'unpack app:1.1 @/rootfs', 'unpack none:1 @/other'],
  images: ['images', 'images -q --no-trunc', 'images none', 'images --filter dangling=true', 'images --filter size=1'],
  tag: ['tag app:1.1 app:latest', 'tag none:1 app:2', 'tag app:1.1'],
  rm: ['rm app:1.2', 'rm none:1', 'rm'],
  gc: ['gc --dry-run', 'gc --grace 1s'],
  fsck: ['fsck', 'fsck --repair REG/far', 'fsck --max-rate x'],
  df: ['df', 'df x'],
  serve: ['serve --listen 127.0.0.1:0', 'serve --listen x', 'serve --tls-cert @/gone --tls-key @/gone'],
  completion: ['completion bash', 'completion tcsh'],
}

/** Commands whose screens have figures of this machine: numbers are left out. */
export const MEASURING: readonly string[] = ['bench', 'df']

/** Commands that need an image with a shell, and a sandbox. */
export const RUNNING: readonly string[] = ['run', 'start', 'commit', 'containers']
