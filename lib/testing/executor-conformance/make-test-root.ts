import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const APPLETS = [
  'cat chmod chown cp dd echo env find grep head hostname id kill ln ls mkdir mknod mount mv ps pwd rm sed sh sleep sort',
  'stat tail test touch tr true umount wc yes',
]
  .join(' ')
  .split(' ')

/** Makes a root filesystem with a shell, the user `app` (1000:1001, in group 50), and directories of Docker's bases. */
export async function makeTestRoot(root: string, busybox: string): Promise<void> {
  for (const path of ['bin', 'etc', 'home/app', 'root', 'tmp']) await mkdir(join(root, path), { recursive: true })
  await copyFile(busybox, join(root, 'bin/busybox'))
  for (const name of APPLETS) await symlink('busybox', join(root, 'bin', name))
  const users = ['root:x:0:0::/root:/bin/sh', 'app:x:1000:1001::/home/app:/bin/sh']
  await writeFile(join(root, 'etc/passwd'), `${users.join('\n')}\n`)
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nweb:x:1001:\nlogs:x:50:app\n')
}
