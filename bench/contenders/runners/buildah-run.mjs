import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { missing, versionOf } from '../../harness/find-program.mjs'
import { measureCommand } from '../../harness/measure/measure-command.mjs'
import { BASE, IMAGE } from './names.mjs'

/** buildah bud, with overlays and without a runtime: its fastest way. */
export const buildahRun = {
  name: 'buildah bud',
  available: () => missing('buildah') ?? (process.getuid?.() === 0 ? undefined : 'needs root'),
  version: () => versionOf('buildah'),
  builder({ state, baseTar }) {
    const storage = ['--root', join(state, 'storage'), '--runroot', join(state, 'run'), '--storage-driver', 'overlay']
    const now = (...words) => execFileSync('buildah', [...storage, ...words], { encoding: 'utf8' }).trim()
    if (!existsSync(state)) {
      mkdirSync(state)
      const container = now('from', 'scratch')
      now('add', '-q', container, baseTar, '/')
      now('commit', '-q', '--rm', container, BASE)
    }
    const how = ['-q', '--layers', '--no-cache', '--pull-never', '--isolation', 'chroot']
    return {
      build: context => measureCommand(['buildah', ...storage, 'bud', ...how, '-t', IMAGE, context]),
      read(path) {
        const container = now('from', '--pull-never', IMAGE)
        try {
          return readFileSync(join(now('mount', container), path), 'utf8')
        } finally {
          now('umount', container)
          now('rm', container)
        }
      },
    }
  },
}
