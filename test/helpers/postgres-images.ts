import { writeLayer } from '../../lib/layer/index.ts'
import { type HistoryEntry, MediaType, type RunConfig } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { mixedBytes } from './mixed-bytes.ts'
import { putStoreDocument } from './store-image.ts'

/*
 * Images in the shape of postgres:16 on Docker Hub, a hundredth of its size: a base like Debian, users, gosu, locales,
 * packages, configuration, entrypoint. Equal bytes in every run: layers are not compressed, because Node's versions
 * compress to different bytes.
 */

/** A step: its command, and the files that it writes, or none if it changes the config only. */
interface Step {
  readonly command: string
  readonly files?: readonly TarInput[]
}

const POSTGRES = { uid: 999, gid: 999 }
const ENV = {
  path: 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/16/bin',
  data: 'PGDATA=/var/lib/postgresql/data',
}

/**
 * Stores `pg:hasty`, whose author cleans up a step too late; `pg:tidy`, the same content without waste; and `pg:next`,
 * a minor release on the same base as `pg:tidy`.
 */
export async function storePostgresImages(store: Store): Promise<void> {
  await storeImage(store, 'pg:hasty', hasty(), '16.9-1.pgdg12+1')
  await storeImage(store, 'pg:tidy', tidy('16.9-1.pgdg12+1'), '16.9-1.pgdg12+1')
  await storeImage(store, 'pg:next', tidy('16.10-1.pgdg12+1'), '16.10-1.pgdg12+1')
}

function hasty(): Step[] {
  const version = '16.9-1.pgdg12+1'
  return [
    ...base(),
    run('set -eux; apt-get update; apt-get install -y gnupg less xz-utils zstd libnss-wrapper locales', [
      ...tools(),
      ...aptLeavings('tools', 120_000),
    ]),
    ...gosuAndLocale(),
    env(`PG_VERSION=${version}`),
    run('set -ex; apt-get update; apt-get install -y postgresql-16', [
      ...postgres(version),
      ...aptLeavings('postgres', 900_000),
    ]),
    copy('client.key /etc/ssl/private/', [file('etc/ssl/private/client.key', KEY, { mode: 0o600 })]),
    run('rm -rf /var/lib/apt/lists/* /var/cache/apt /etc/ssl/private/client.key', [
      whiteout('var/lib/apt/lists', '.wh..wh..opq'),
      whiteout('var/cache', '.wh.apt'),
      whiteout('etc/ssl/private', '.wh.client.key'),
    ]),
    run('chown -R postgres:postgres /usr/lib/postgresql', owned(postgresBinaries(version))),
    ...configuration(),
  ]
}

function tidy(version: string): Step[] {
  return [
    ...base(),
    run('set -eux; apt-get install -y gnupg less xz-utils zstd libnss-wrapper locales; rm -rf /var/lib/apt/lists/*', [
      ...tools(),
    ]),
    ...gosuAndLocale(),
    env(`PG_VERSION=${version}`),
    run('set -ex; apt-get install -y postgresql-16; rm -rf /var/lib/apt/lists/*; apt-get clean', postgres(version)),
    ...configuration(),
  ]
}

function base(): Step[] {
  const rootfs = [
    ...tree('bin', 'etc', 'usr', 'usr/bin', 'usr/lib', 'usr/share', 'usr/share/doc', 'usr/local', 'usr/local/bin'),
    ...tree('var', 'var/cache', 'var/cache/apt', 'var/lib', 'var/lib/apt', 'var/lib/apt/lists', 'var/lib/dpkg'),
    data('bin/bash', 12_600, { mode: 0o755 }),
    data('usr/bin/perl', 38_000, { mode: 0o755 }),
    data('usr/lib/libc.so.6', 19_200, { mode: 0o755 }),
    data('usr/lib/libcrypto.so.3', 47_000, { mode: 0o755 }),
    data('usr/share/doc/copyright', 20_000),
    data('var/lib/dpkg/status', 9_000),
    file('bin/su', 'su', { mode: 0o4755 }),
    file('etc/os-release', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n'),
    file('etc/group', 'root:x:0:\n'),
  ]
  return [
    { command: "# debian.sh --arch 'amd64' out/ 'bookworm'", files: rootfs },
    run('set -eux; groupadd -r postgres --gid=999; useradd -r -g postgres --uid=999 postgres', [
      file('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\npostgres:x:999:999::/var/lib/postgresql:/bin/bash\n'),
      file('etc/group', 'root:x:0:\npostgres:x:999:\n'),
      ...tree('var/lib/postgresql').map(entry => ({ ...entry, ...POSTGRES })),
    ]),
  ]
}

function gosuAndLocale(): Step[] {
  return [
    env('GOSU_VERSION=1.17'),
    run('set -eux; wget -O /usr/local/bin/gosu "…/$GOSU_VERSION/gosu-amd64"; gosu --version', [
      data('usr/local/bin/gosu', 23_000, { mode: 0o755 }),
    ]),
    run("set -eux; echo 'en_US.UTF-8 UTF-8' >> /etc/locale.gen; locale-gen", [
      ...tree('usr/lib/locale'),
      data('usr/lib/locale/locale-archive', 30_500),
    ]),
    env('LANG=en_US.utf8'),
    env('PG_MAJOR=16'),
    env(ENV.path),
  ]
}

function configuration(): Step[] {
  return [
    run('set -eux; sed -ri "s!^#?(listen_addresses)\\s*=\\s*\\S+.*!\\1 = \'*\'!" postgresql.conf.sample', [
      data('usr/share/postgresql/16/postgresql.conf.sample', 300),
    ]),
    env(ENV.data),
    run('install --verbose --directory --owner postgres --group postgres --mode 1777 "$PGDATA"', [
      { path: 'var/lib/postgresql/data', type: 'directory', mode: 0o1777, ...POSTGRES },
    ]),
    { command: 'VOLUME [/var/lib/postgresql/data]' },
    copy('docker-entrypoint.sh docker-ensure-initdb.sh /usr/local/bin/ # buildkit', [
      data('usr/local/bin/docker-entrypoint.sh', 1400, { mode: 0o755 }),
      data('usr/local/bin/docker-ensure-initdb.sh', 250, { mode: 0o755 }),
    ]),
    { command: 'ENTRYPOINT ["docker-entrypoint.sh"]' },
    { command: 'STOPSIGNAL SIGINT' },
    { command: 'EXPOSE map[5432/tcp:{}]' },
    { command: 'CMD ["postgres"]' },
  ]
}

const tools = () => [
  data('usr/bin/gpg', 10_900, { mode: 0o755 }),
  data('usr/bin/zstd', 11_200, { mode: 0o755 }),
  data('usr/lib/libnss_wrapper.so', 900),
  data('var/lib/dpkg/status', 9_600),
]

const postgresBinaries = (version: string): TarInput[] => [
  ...tree('usr/lib/postgresql', 'usr/lib/postgresql/16', 'usr/lib/postgresql/16/bin'),
  // The program of two releases differs in some of its bytes.
  file('usr/lib/postgresql/16/bin/postgres', Buffer.concat([Buffer.from(version), mixedBytes(92_000, 7)]), {
    mode: 0o755,
  }),
  data('usr/lib/postgresql/16/bin/psql', 7_300, { mode: 0o755 }),
]

const postgres = (version: string): TarInput[] => [
  ...postgresBinaries(version),
  ...tree('usr/share/postgresql', 'usr/share/postgresql/16'),
  data('usr/share/postgresql/16/postgresql.conf.sample', 299),
  data('usr/lib/libLLVM-16.so.1', 1_100_000),
  data('var/lib/dpkg/status', 11_000),
]

/** Files that `apt-get` leaves: indexes of the repositories and downloaded packages. */
const aptLeavings = (name: string, size: number): TarInput[] => [
  data(`var/lib/apt/lists/deb.debian.org_${name}_Packages`, Math.round(size / 3)),
  data(`var/cache/apt/archives/${name}.deb`, Math.round((size * 2) / 3)),
]

/** A key that protects nothing; only its first line is one of a key. */
const KEY = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n'

const run = (command: string, files: readonly TarInput[]): Step => ({ command: `/bin/sh -c ${command}`, files })
const copy = (command: string, files: readonly TarInput[]): Step => ({ command: `COPY ${command}`, files })
const env = (variable: string): Step => ({ command: `ENV ${variable}` })
const owned = (entries: readonly TarInput[]): TarInput[] => entries.map(entry => ({ ...entry, ...POSTGRES }))
const tree = (...paths: readonly string[]): TarInput[] =>
  paths.map(path => ({ path, type: 'directory' as const, mode: 0o755 }))
const whiteout = (parent: string, name: string): TarInput => ({ path: `${parent}/${name}`, type: 'file' })

function file(path: string, content: string | Uint8Array, more: Partial<TarInput> = {}): TarInput {
  return { path, type: 'file', mode: 0o644, content: Buffer.from(content), ...more } as TarInput
}

/** A file of bytes that follow from its path and size. */
function data(path: string, size: number, more: Partial<TarInput> = {}): TarInput {
  return file(path, mixedBytes(size, path.length * 31 + size), more)
}

async function storeImage(store: Store, name: string, steps: readonly Step[], version: string): Promise<void> {
  const layers = []
  const history: HistoryEntry[] = []
  const created = '2026-11-20T00:00:00Z'
  for (const { command, files } of steps) {
    history.push({ created, created_by: command, ...(!files && { empty_layer: true }) })
    if (files) layers.push(await writeLayer(store, [...files], { compression: 'none', hasher: 'native' }))
  }
  const config = await putStoreDocument(store, MediaType.OciConfig, {
    created,
    architecture: 'amd64',
    os: 'linux',
    config: configOf(version),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history,
  })
  const mediaType = MediaType.OciManifest
  const descriptors = layers.map(({ descriptor }) => descriptor)
  const manifest = { schemaVersion: 2, mediaType, config, layers: descriptors }
  await store.references.set(name, await putStoreDocument(store, mediaType, manifest))
}

const configOf = (version: string): RunConfig => ({
  Env: [ENV.path, 'GOSU_VERSION=1.17', 'LANG=en_US.utf8', 'PG_MAJOR=16', `PG_VERSION=${version}`, ENV.data],
  Entrypoint: ['docker-entrypoint.sh'],
  Cmd: ['postgres'],
  Volumes: { '/var/lib/postgresql/data': {} },
  ExposedPorts: { '5432/tcp': {} },
  StopSignal: 'SIGINT',
})
