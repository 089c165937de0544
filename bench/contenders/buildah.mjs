import { execFileSync } from 'node:child_process'
import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand, pipeline } from '../harness/measure/measure-command.mjs'
import { lastLayerOf } from './oci-layout.mjs'

const SCRIPT =
  'b="buildah $1"; $b copy -q "$2" "$3" / >/dev/null && $b commit -q --disable-compression=false --format oci "$2" "$4" >/dev/null'

/** buildah: copies a directory into a container from scratch and commits that as an image. Storage driver vfs. */
export const buildah = {
  name: 'buildah copy + commit',
  available: () => missing('buildah') ?? (process.getuid?.() === 0 ? undefined : 'needs root'),
  version: () => versionOf('buildah'),
  async run(_job, { directory, scratch }) {
    const storage = ['--root', `${scratch}/storage`, '--runroot', `${scratch}/run`, '--storage-driver', 'vfs']
    const container = execFileSync('buildah', [...storage, 'from', 'scratch'], { encoding: 'utf8' }).trim()
    const layout = `${scratch}/layout`
    const command = pipeline(SCRIPT, storage.join(' '), container, directory, `oci:${layout}:bench`)
    const { stdout: _, ...measured } = await measureCommand(command)
    return { ...measured, outcome: lastLayerOf(layout, 'bench') }
  },
}
