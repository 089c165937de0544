import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const APPLETS = ['cat', 'chmod', 'chown', 'id', 'ls', 'mkdir', 'mknod', 'mount', 'rm', 'sed', 'sh', 'sleep', 'true']

/** Makes a directory a root filesystem with a shell: busybox of this machine, which is linked statically. */
export function makeBusyboxRoot(root: string): void {
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'etc'))
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nweb:x:1001:\nlogs:x:50:app\n')
}
