import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../../lib/disk-store/index.ts'
import { readLayer } from '../../../lib/layer/index.ts'
import type { RunConfig } from '../../../lib/oci/index.ts'
import { commitContainer, createContainer } from '../../../lib/sandbox/index.ts'
import { storeBusyboxImage } from '../../helpers/busybox-image.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

/** Changes of every kind. */
const script = [
  'cd /; echo x > /etc/new; rm /srv/old/a; rm -rf /data; mkdir /data; echo y > /data/g; mkdir -p /made/deep',
  'echo z > /made/deep/z; chmod 1777 /made; ln -s /etc/new /made/link; ln /etc/new /made/hard; echo more >> /srv/kept',
  'chown 7:8 /made/deep/z; mv /srv/old/b /made/b; touch /etc/passwd',
].join('; ')

/** Recorded: `docker diff` of Docker Engine 28.5.2 (overlay2) after the script, sorted. */
const DIFF = [
  ...['C /data', 'D /data/f', 'A /data/g', 'C /etc', 'A /etc/new', 'C /etc/passwd', 'A /made', 'A /made/b'],
  ...['A /made/deep', 'A /made/deep/z', 'A /made/hard', 'A /made/link', 'A /new', 'A /new/dir', 'C /srv'],
  ...['C /srv/kept', 'C /srv/old', 'D /srv/old/a', 'D /srv/old/b'],
]

/**
 * Recorded: the layer of `docker commit`: path, type, mode, owner, size and link. Docker also lists the directories
 * `etc` and `srv`, whose mode, owner and time are those of the image.
 */
const LAYER = [
  'data directory 755 0:0 0',
  // Docker: data/.wh..wh..opq, which hides the same.
  'data/.wh.f file',
  'data/g file 644 0:0 2',
  'etc/new file 644 0:0 2',
  'etc/passwd file 644 0:0 61',
  'made directory 1777 0:0 0',
  'made/b file 644 0:0 4',
  'made/deep directory 755 0:0 0',
  'made/deep/z file 644 7:8 2',
  'made/hard hardlink 644 0:0 0 etc/new',
  'made/link symlink 777 0:0 0 /etc/new',
  'new directory 755 0:0 0',
  'new/dir directory 755 0:0 0',
  'srv/kept file 644 0:0 10',
  'srv/old directory 755 0:0 0',
  'srv/old/.wh.a file',
  'srv/old/.wh.b file',
]

const BASE: RunConfig = {
  Env: ['PATH=/bin', 'A=1', 'B=2'],
  Entrypoint: ['/bin/sh', '-c'],
  Cmd: ['echo default'],
  User: 'app',
  WorkingDir: '/srv',
  ExposedPorts: { '80/tcp': {} },
  StopSignal: 'SIGINT',
  Labels: { l: '1' },
}
const CHANGES = ['CMD ["x"]', 'ENV D=4 A=$B', 'LABEL m=2', 'EXPOSE 81/udp', 'WORKDIR sub', 'USER 5']

/** Recorded: the config of `docker commit -c …`, without members that the specification does not know. */
const CONFIG = {
  Env: ['C=3', 'PATH=/bin', 'A=2', 'B=2', 'D=4'],
  Cmd: ['x'],
  Entrypoint: ['/bin/sh', '-c'],
  ExposedPorts: { '80/tcp': {}, '81/udp': {} },
  Labels: { l: '1', m: '2' },
  StopSignal: 'SIGINT',
  User: '5',
  WorkingDir: '/new/dir/sub',
}

function fill(root: string): void {
  for (const path of ['srv/old', 'data']) mkdirSync(join(root, path), { recursive: true })
  const files = { 'srv/old/a': 'one\n', 'srv/old/b': 'two\n', 'srv/kept': 'keep\n', 'data/f': 'f\n' }
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content)
}

describe.skipIf(!able)('what a container has changed', () => {
  test('is listed and committed as by the Docker Engine', async () => {
    using directory = temporaryDirectory('docker-commit')
    await using store = await openStore(directory.path, { durability: 'none' })
    await storeBusyboxImage(store, 'base', { config: BASE, fill })
    const settings = { command: [script], environment: ['C=3'], workdir: '/new/dir', user: 'root' }
    const container = await createContainer(store, 'base', { id: 'c', ...settings })
    expect((await container.start()).code).toBe(0)
    const letter = { added: 'A', changed: 'C', deleted: 'D' }
    expect((await container.changes()).map(({ kind, path }) => `${letter[kind]} ${path}`)).toEqual(DIFF)
    const options = { author: 'An Author <a@b>', message: 'a message', changes: CHANGES }
    const image = await commitContainer(store, 'c', options)
    const lines: string[] = []
    for await (const entry of readLayer(store, image.layers.at(-1)!.descriptor)) {
      const { path, type, mode, uid, gid, size, linkname } = entry
      const about = `${mode.toString(8)} ${uid}:${gid} ${size} ${linkname ?? ''}`
      lines.push(`${path} ${type} ${path.includes('/.wh.') ? '' : about}`.trimEnd())
    }
    expect(lines.sort()).toEqual([...LAYER].sort())
    expect(image.config.config).toEqual(CONFIG)
    expect(image.config).toMatchObject({ author: 'An Author <a@b>' })
    const { created } = image.config
    const entry = { created, created_by: script, author: 'An Author <a@b>', comment: 'a message' }
    expect(image.config.history?.at(-1)).toEqual(entry)
  })
})
