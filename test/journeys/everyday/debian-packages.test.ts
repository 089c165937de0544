// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a format of dpkg-query
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readImage } from '../../../lib/image/index.ts'
import { openUnionView } from '../../../lib/rootfs/index.ts'
import { makeMachineBase } from '../../helpers/machine-base.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { program } from '../../helpers/program.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { everydayBench, needsEveryday } from './bench.ts'

const able = [needsEveryday(), ...['apt-get', 'dpkg-deb', 'useradd', 'ldconfig'].map(needsProgram)].every(Boolean)

/** What apt and dpkg need of a Debian. */
const PROGRAMS = [
  ...['/usr/bin/apt-get', '/usr/bin/apt-config', '/usr/bin/dpkg', '/usr/bin/dpkg-deb', '/usr/bin/dpkg-query'],
  ...['/usr/bin/dpkg-split', '/bin/tar', '/sbin/ldconfig', '/sbin/start-stop-daemon'],
  ...['/usr/sbin/groupadd', '/usr/sbin/useradd', '/usr/lib/apt/methods/http', '/usr/lib/apt/methods/store'],
]
const FILES = {
  'etc/apt/apt.conf.d/': '',
  'etc/apt/preferences.d/': '',
  'etc/apt/trusted.gpg.d/': '',
  'etc/apt/sources.list.d/': '',
  'etc/dpkg/dpkg.cfg.d/': '',
  'etc/login.defs': 'SYS_UID_MIN 100\nSYS_UID_MAX 999\nSYS_GID_MIN 100\nSYS_GID_MAX 999\nUMASK 022\n',
  'etc/shadow': 'root:*:19000:0:99999:7:::\n',
  'var/cache/apt/archives/partial/': '',
  'var/lib/apt/lists/partial/': '',
  'var/lib/dpkg/available': '',
  'var/lib/dpkg/info/': '',
  'var/lib/dpkg/status': '',
  'var/lib/dpkg/updates/': '',
  'var/log/apt/': '',
}

interface DebianPackage {
  readonly depends?: string
  readonly files: Readonly<Record<string, string>>
  readonly postinst?: string
}

const PACKAGES: Readonly<Record<string, DebianPackage>> = {
  greeter: {
    depends: 'greeter-data',
    files: {
      'usr/bin/greet':
        '#!/bin/sh\nread greeting < /usr/share/greeter/text\nread who < /etc/greeter.conf\necho "$greeting $who"\n',
      'etc/greeter.conf': 'world\n',
    },
    postinst:
      '#!/bin/sh\nset -e\nif [ "$1" = configure ]; then\n  groupadd -r greeters\n  mkdir -p /var/lib/greeter\n  chown daemon:greeters /var/lib/greeter\n  chmod 2775 /var/lib/greeter\nfi\n',
  },
  'greeter-data': { files: { 'usr/share/greeter/text': 'hello\n' } },
}

/** Packs a package with dpkg-deb. Resolves to the archive and its paragraph for the index. */
async function pack(name: string, { depends, files, postinst }: DebianPackage) {
  using place = temporaryDirectory('deb')
  const at = (path: string) => join(place.path, 'root', path)
  const write = (path: string, content: string) => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), content)
    chmodSync(at(path), content.startsWith('#!') ? 0o755 : 0o644)
  }
  const fields = [`Package: ${name}`, 'Version: 1.0', 'Architecture: all', 'Maintainer: nobody <nobody@example.org>']
  if (depends) fields.push(`Depends: ${depends}`)
  write('DEBIAN/control', `${[...fields, 'Description: package of a test'].join('\n')}\n`)
  for (const [path, content] of Object.entries(files)) write(path, content)
  if (postinst) write('DEBIAN/postinst', postinst)
  const configuration = Object.keys(files).filter(path => path.startsWith('etc/'))
  if (configuration.length > 0) write('DEBIAN/conffiles', configuration.map(path => `/${path}\n`).join(''))
  await program('chmod', ['-R', 'u=rwX,go=rX', at('')])
  await program('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', at(''), join(place.path, 'x.deb')])
  const bytes = readFileSync(join(place.path, 'x.deb'))
  const digest = createHash('sha256').update(bytes).digest('hex')
  const paragraph = [...fields, `Filename: ./${name}.deb`, `Size: ${bytes.length}`, `SHA256: ${digest}`].join('\n')
  return { bytes, paragraph: `${paragraph}\nDescription: package of a test\n\n` }
}

/** A repository of packages, flat, on a loopback address. */
async function repository() {
  const served = new Map<string, Uint8Array>()
  let index = ''
  for (const [name, content] of Object.entries(PACKAGES)) {
    const { bytes, paragraph } = await pack(name, content)
    served.set(`/${name}.deb`, bytes)
    index += paragraph
  }
  served.set('/Packages', Buffer.from(index))
  const server = createServer((request, response) => {
    const bytes = served.get((request.url ?? '').replace('/./', '/'))
    if (bytes) response.end(bytes)
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { source: `deb [trusted=yes] http://127.0.0.1:${port} ./\n`, [Symbol.dispose]: () => void server.close() }
}

const DOCKERFILE = `FROM debian:12-slim
RUN apt-get update && \\
    apt-get install -y --no-install-recommends greeter && \\
    rm -rf /var/lib/apt/lists/*
RUN groupadd -r app && useradd -r -g app -d /srv/app -s /bin/sh app && mkdir -p /srv/app && chown app:app /srv/app
WORKDIR /srv/app
USER app
RUN id -un > built-by
CMD ["greet"]
`

test.runIf(able)(
  'packages are installed with apt-get, and run as a user that was added',
  async () => {
    await using bench = await everydayBench()
    using packages = await repository()
    await makeMachineBase(bench.store, 'debian:12-slim', {
      programs: PROGRAMS,
      trees: { '/usr/share/dpkg': [] },
      files: { ...FILES, 'etc/apt/sources.list': packages.source },
    })
    bench.write({ '.dockerignore': '*' })
    await bench.build(DOCKERFILE, 'app:1')
    expect(bench.output.join('')).toMatch(/Setting up greeter \(1\.0\)/)

    expect(await bench.run('app:1')).toEqual({ code: 0, stdout: 'hello world\n', stderr: '' })
    const identity = await bench.run('app:1', { command: ['sh', '-c', 'id -un; cat built-by; pwd; touch /etc/x'] })
    expect(identity).toMatchObject({ code: 1, stdout: 'app\napp\n/srv/app\n' })
    const status = await bench.run('app:1', { command: ['dpkg-query', '-W', '-f', '${Package} ${Status}\\n'] })
    expect(status.stdout).toBe('greeter install ok installed\ngreeter-data install ok installed\n')

    const view = await openUnionView(bench.store, await readImage(bench.store, 'app:1'))
    expect(view.stat('var/lib/greeter')).toMatchObject({ type: 'directory', mode: 0o2775, uid: 1 })
    expect(view.list('var/lib/apt/lists')).toEqual([])
  },
  120_000,
)
