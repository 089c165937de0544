/**
 * Words that an option takes, by its long name; those of one command precede, as `save --format`. A test compares them
 * with the help. What checks a given word is the command itself, whose message says more than the list.
 */
export const CHOICES: Readonly<Record<string, readonly string[]>> = {
  '--compression': ['gzip', 'zstd', 'none'],
  '--convert': ['gzip', 'zstd', 'none'],
  '--devices': ['create', 'skip', 'error'],
  '--documents': ['oci', 'docker'],
  '--hard-links': ['keep', 'copy'],
  '--hasher': ['wasm', 'native'],
  '--if-changed': ['adapt', 'fail'],
  '--mode': ['normal', 'source'],
  '--network': ['host', 'none', 'default'],
  '--only': ['hash', 'layer', 'dedup'],
  '--progress': ['plain', 'tty', 'json'],
  '--sandbox': ['bwrap', 'runc', 'chroot'],
  '--unset': ['user', 'entrypoint', 'cmd', 'workdir', 'stop-signal', 'healthcheck', 'shell'],
  '--whiteouts': ['apply', 'overlayfs'],
  'run --pull': ['missing', 'always', 'never'],
  'save --format': ['oci', 'docker'],
}

/** Words that an argument takes, by command and place from 0. */
export const ARGUMENT_CHOICES: Readonly<Record<string, readonly string[]>> = {
  'completion 0': ['bash', 'zsh', 'fish'],
  'containers 0': ['ls', 'rm', 'stop'],
  'context 0': ['ls'],
  'index 0': ['create', 'append', 'filter'],
}
