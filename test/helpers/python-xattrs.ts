import { execFileSync } from 'node:child_process'
import type { XattrAccess } from '../../lib/internal/xattr-access.ts'

const ACT = `
import os, sys
act, path = sys.argv[1], os.fsencode(sys.argv[2])
if act == 'set': os.setxattr(path, sys.argv[3], sys.stdin.buffer.read())
elif act == 'get': sys.stdout.buffer.write(os.getxattr(path, sys.argv[3]))
else: sys.stdout.write('\\0'.join(os.listxattr(path)))
`
const WALK = `
import json, os, sys
root = os.fsencode(sys.argv[1])
found = {}
def note(path):
    names = os.listxattr(path, follow_symlinks=False)
    if names:
        shown = os.path.relpath(path, root).decode('latin1')
        found[shown] = {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(names)}
for folder, folders, files in os.walk(root):
    note(folder)
    for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]: note(os.path.join(folder, name))
json.dump(found, sys.stdout, sort_keys=True)
`

/** Extended attributes through Python: Node has no calls for them without the optional package. */
export const pythonXattrs: XattrAccess = {
  list: path => python(ACT, ['list', path]).toString().split('\0').filter(Boolean),
  get: (path, name) => python(ACT, ['get', path, name]),
  set: (path, name, value) => void python(ACT, ['set', path, name], value),
}

/** Lists the paths of a tree that have extended attributes, with values in hex, as read by Python. */
export function xattrsIn(root: string): Record<string, Record<string, string>> {
  return JSON.parse(python(WALK, [root]).toString())
}

function python(script: string, args: string[], input: Uint8Array = new Uint8Array()): Buffer {
  // `/proc/self` must mean this process, not the child.
  const seen = args.map(arg => arg.replace(/^\/proc\/self\//, `/proc/${process.pid}/`))
  return execFileSync('python3', ['-c', script, ...seen], { input, stdio: ['pipe', 'pipe', 'inherit'] })
}
