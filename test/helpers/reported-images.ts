import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'

/** Names of files that try to get markup, script or lies into a page. */
export const HOSTILE_NAMES = [
  '</script><script>globalThis.broken = 1<',
  '<img src=x onerror="globalThis.broken = 2">',
  '"\'`&amp;<!--',
  'gnp\u202egnitteg.exe',
  'line\nbreak\u2028\u0085\u001b[2J',
  '__proto__',
  'constructor',
]

const content = (size: number, text = 'x') => Buffer.alloc(size, text)

/**
 * Images in a store in memory: `base:1`; `app:1` and `app:2` on it, with waste, a cache, a secret, copies and a set-id
 * program; `hostile:1`, whose files, commands and variables are hostile.
 */
export async function reportedImages(): Promise<Store> {
  const store = createMemoryStore()
  const options = { compression: 'none', hasher: 'native' } as const
  const base = await writeLayer(
    store,
    [
      { path: 'usr/bin/su', type: 'file', mode: 0o4755, content: content(4000) },
      { path: 'usr/lib/big', type: 'file', content: content(50_000, 'big') },
      { path: 'usr/lib/python/one.py', type: 'file', content: content(8000, 'one') },
      { path: 'var/lib/apt/lists/index', type: 'file', content: content(9000, 'index') },
    ],
    options,
  )
  const user = await writeLayer(
    store,
    [
      { path: 'usr/lib/big', type: 'file', content: content(50_000, 'big'), uid: 1000 },
      { path: 'var/lib/apt/.wh.lists', type: 'file' },
      { path: 'root/.ssh/id_rsa', type: 'file', content: '-----BEGIN RSA PRIVATE KEY-----\nabc' },
      { path: 'app/server.js', type: 'file', content: content(20_000, 'server') },
      { path: 'app/lib/one.js', type: 'file', content: content(7000, 'copy') },
      { path: 'app/lib/two.js', type: 'file', content: content(7000, 'copy') },
      ...Array.from({ length: 30 }, (_, i) => ({
        path: `app/data/part-${i}`,
        type: 'file' as const,
        content: content(100 + i, `${i}`),
      })),
    ],
    options,
  )
  const next = await writeLayer(
    store,
    [{ path: 'app/server.js', type: 'file', content: content(21_000, 'new') }],
    options,
  )
  const platform = 'linux/amd64'
  const below = { ...base, history: { created_by: '/bin/sh -c #(nop) ADD rootfs.tar / ' } }
  const lower = await composeImage(store, { layers: [below], platform })
  const chown = { ...user, history: { created_by: 'RUN /bin/sh -c chown -R 1000 /usr/lib # buildkit' } }
  const first = await composeImage(store, { base: lower, layers: [chown], platform })
  const copy = { ...next, history: { created_by: 'COPY server.js /app/ # buildkit' } }
  const second = await composeImage(store, { base: first, layers: [copy], platform })
  const hostile = await writeLayer(
    store,
    HOSTILE_NAMES.map((name, i) => ({
      path: `${name.replaceAll('/', '∕')}/${name.replaceAll('/', '∕')}`,
      type: 'file' as const,
      content: content(1000 + i),
    })),
    options,
  )
  const command = '</script><script>globalThis.broken = 3</script>\u202e'
  const attack = await composeImage(store, {
    layers: [{ ...hostile, history: { created_by: `|1 API_TOKEN=hunter2 /bin/sh -c ${command}` } }],
    platform,
    config: { Env: ['DB_PASSWORD</script>=x'] },
  })
  await store.references.set('base:1', lower.descriptor)
  await store.references.set('app:1', first.descriptor)
  await store.references.set('app:2', second.descriptor)
  await store.references.set('hostile:1', attack.descriptor)
  return store
}
