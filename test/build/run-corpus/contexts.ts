import type { ContextFiles } from '../corpus/contexts.ts'

/** Contexts of the builds, by their names. */
export const runContexts: Readonly<Record<string, ContextFiles>> = {
  plain: {
    'a.txt': 'A\n',
    'script.sh': { content: '#!/bin/sh\necho "script $0 $*" > /from-script\n', mode: 0o755 },
    'dir/x': 'dx',
    'dir/y.txt': 'dy',
    'dir/sub/z': { content: 'dz', mode: 0o755 },
    'dir/sub': { directory: 0o711 },
    'dir/link': { link: 'x' },
    'app/main.c': 'int main() { return 7; }\n',
  },
  ignored: {
    '.dockerignore': '*.log\nsecret\n!keep.log\n',
    'a.txt': 'A\n',
    'drop.log': 'drop',
    'keep.log': 'keep',
    'secret/key': 'key',
  },
}

/** Secrets that every build gets, by their ids. */
export const runSecrets: Readonly<Record<string, string>> = { token: 's3cret\n', other: 'else' }
