import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { amountOf } from '../../harness/checks/contents-of.mjs'
import { missing, versionOf } from '../../harness/find-program.mjs'
import { measureCommand } from '../../harness/measure/measure-command.mjs'

/** buildah bud with its layer cache. Storage driver vfs. */
export const buildahBud = {
  name: 'buildah bud',
  available: () => missing('buildah') ?? (process.getuid?.() === 0 ? undefined : 'needs root'),
  version: () => versionOf('buildah'),
  async run(_job, { context, changed, state, noCache = false }) {
    const storage = ['--root', join(state, 'storage'), '--runroot', join(state, 'run'), '--storage-driver', 'vfs']
    const { stdout: _, ...measured } = await measureCommand([
      ...['buildah', ...storage, 'bud', '-q', '--layers', '--isolation', 'chroot', '-t', 'bench'],
      ...(noCache ? ['--no-cache'] : []),
      context,
    ])
    return { ...measured, outcome: outcomeOf(storage, changed) }
  },
}

function outcomeOf(storage, changed) {
  const buildah = (...words) => execFileSync('buildah', [...storage, ...words], { encoding: 'utf8' }).trim()
  const container = buildah('from', '--pull-never', 'localhost/bench')
  const root = buildah('mount', container)
  try {
    const amount = amountOf(join(root, 'tree'))
    return { paths: amount.files, linksNotCounted: true, changed: changed && readFileSync(join(root, changed)) }
  } finally {
    buildah('umount', container)
    buildah('rm', container)
  }
}
