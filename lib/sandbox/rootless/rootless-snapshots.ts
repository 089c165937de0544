import { existsSync } from 'node:fs'
import { readTar } from '../../tar/index.ts'
import type { FileAttributes, StackFiles } from '../files/stack-files.ts'
import { snapshotDirectory } from '../snapshots/snapshot-directory.ts'
import type { SnapshotDriver, Stack } from '../snapshots/stack.ts'
import type { Channel } from './channel/channel.ts'
import type { SandboxClient } from './sandbox-client.ts'
import type { SentStack } from './sandbox-service.ts'

/** Snapshots that are mounted in the namespace. */
export function rootlessSnapshots(client: SandboxClient, directory: string): SnapshotDriver {
  return {
    async openStack(store, layers, { signal, place } = {}) {
      const sandbox = await client.connect({ signal })
      const sent: SentStack = {
        directory: snapshotDirectory(directory),
        store: client.offered.store(store),
        layers: layers.map(({ descriptor, diffId }) => ({ descriptor, diffId })),
        place,
      }
      const opened = await sandbox.channel.call<OpenedStack>('open', sent, { signal })
      return stackOf(client, sandbox.channel, opened)
    },
    async removePlace(place) {
      // A container that was never started has no place; its removal also works where namespaces are forbidden.
      if (!existsSync(place)) return
      const sandbox = await client.connect()
      await sandbox.channel.call('removePlace', { directory: snapshotDirectory(directory), place })
    },
  }
}

interface OpenedStack {
  readonly id: number
  readonly path: string
  readonly scratch: string
}

function stackOf(client: SandboxClient, channel: Channel, { id, path, scratch }: OpenedStack): Stack {
  const close = () => channel.call<void>('close', { id })
  return {
    path,
    scratch,
    files: filesOf(client, channel),
    keepAs: ({ descriptor, diffId }, latestTime) =>
      channel.call<void>('keepAs', { id, layer: { descriptor, diffId }, latestTime }),
    changes: ({ signal } = {}) => readTar(channel.read('changes', { id }, { signal }), { signal }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function filesOf({ offered }: SandboxClient, channel: Channel): StackFiles {
  return {
    makeDirectory: (path, attributes, options = {}) =>
      channel.call('makeDirectory', {
        path,
        attributes: plain(attributes),
        options: { recursive: options.recursive ?? false },
      }),
    writeFile: (path, content, attributes) =>
      channel.call('writeFile', {
        path,
        content: typeof content === 'string' ? Buffer.from(content) : content,
        attributes: plain(attributes),
      }),
    change: (path, attributes) => channel.call('change', { path, attributes: plain(attributes) }),
    remove: path => channel.call('remove', { path }),
    unpack: (path, what, open, { signal } = {}) =>
      offered.withArchive(open, archive => channel.call<void>('unpack', { path, what, archive }, { signal })),
    async makeMountPoints(root, mounts) {
      const id = await channel.call<number>('makeMountPoints', { root, mounts })
      return { remove: () => channel.call('removeMountPoints', { id }) }
    },
  }
}

/** The attributes without what else an object of the caller may have, which could not be sent. */
function plain({ mode, uid, gid }: FileAttributes): FileAttributes {
  return { mode, uid, gid }
}
