import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readPackages } from '../../../lib/trust/index.ts'
import { outcomesOf } from '../../helpers/build-files.ts'
import { makeMachineBase } from '../../helpers/machine-base.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { program } from '../../helpers/program.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { everydayBench, needsEveryday, portIn } from './bench.ts'

const able = [needsEveryday(), needsProgram('npm')].every(Boolean)

const GOOD = `FROM node:22-slim AS deps
WORKDIR /app
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=deps /app/node_modules node_modules/
COPY . .
USER node
EXPOSE 3000
CMD ["node", "server.js"]
`
const BAD = `FROM node:22-slim
WORKDIR /app
COPY . .
RUN npm ci --omit=dev
USER node
CMD ["node", "server.js"]
`

const SERVER = `
import { createServer } from 'node:http'
import { userInfo } from 'node:os'
import greet from 'greet'
const server = createServer((request, response) => response.end(greet(request.url.slice(1)) + ' from ' + userInfo().username))
server.listen(0, '127.0.0.1', () => console.log('listening at', server.address().port))
`

/** Packages of a registry by their files; `inner` is bundled, and `words` has two versions. */
const PACKAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'greet-1.2.3': {
    'package.json':
      '{"name":"greet","version":"1.2.3","type":"module","exports":"./index.js","dependencies":{"words":"2.0.0-rc.1"}}',
    'index.js': 'export default name => "hello " + name\n',
  },
  'words-1.0.0': { 'package.json': '{"name":"words","version":"1.0.0"}' },
  'words-2.0.0-rc.1': { 'package.json': '{"name":"words","version":"2.0.0-rc.1"}' },
  'tool-0.1.0': {
    'package.json':
      '{"name":"@scope/tool","version":"0.1.0","dependencies":{"inner":"3.0.0"},"bundleDependencies":["inner"]}',
    'node_modules/inner/package.json': '{"name":"inner","version":"3.0.0"}',
  },
}
const DEPENDENCIES = { greet: '1.2.3', words: '1.0.0', '@scope/tool': '0.1.0' }

/** A registry of packages, and the server that has them; `fetched` counts downloads of `greet`. */
async function packageRegistry() {
  const tarballs = new Map(
    Object.entries(PACKAGES).map(([name, files]) => {
      const entries = Object.entries(files).map(([path, content]) => ({ path: `package/${path}`, content }))
      return [`/${name}.tgz`, gzipSync(rawTar(entries))] as [string, Buffer]
    }),
  )
  const counts = { fetched: 0 }
  const server = createServer((request, response) => {
    const tarball = tarballs.get(request.url!)
    if (request.url === '/greet-1.2.3.tgz') counts.fetched++
    if (tarball) response.end(tarball)
    else response.writeHead(404).end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const locked = (file: string, more: object = {}) => {
    const integrity = `sha512-${createHash('sha512')
      .update(tarballs.get(`/${file}.tgz`)!)
      .digest('base64')}`
    const { version } = JSON.parse(PACKAGES[file]!['package.json']!)
    return { version, resolved: `${address}/${file}.tgz`, integrity, ...more }
  }
  const lock = {
    name: 'app',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'app', dependencies: DEPENDENCIES },
      'node_modules/@scope/tool': locked('tool-0.1.0', {
        dependencies: { inner: '3.0.0' },
        bundleDependencies: ['inner'],
      }),
      'node_modules/@scope/tool/node_modules/inner': { version: '3.0.0', inBundle: true },
      'node_modules/greet': locked('greet-1.2.3', { dependencies: { words: '2.0.0-rc.1' } }),
      'node_modules/greet/node_modules/words': locked('words-2.0.0-rc.1'),
      'node_modules/words': locked('words-1.0.0'),
    },
  }
  return { counts, lock, address, [Symbol.dispose]: () => void server.close() }
}

interface ListedTree {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, ListedTree>>
}

/** Names and versions in a tree of `npm ls`. */
function namesIn({ dependencies = {} }: ListedTree): string[] {
  return Object.entries(dependencies).flatMap(([name, each]) => [
    ...(each.version ? [`${name}@${each.version}`] : []),
    ...namesIn(each),
  ])
}

const unique = (names: readonly string[]) => [...new Set(names)].sort()

test.runIf(able)(
  'a web app in Node installs from its lock file and answers; its packages are those of npm ls; layer order decides what is redone',
  async () => {
    await using bench = await everydayBench()
    using registry = await packageRegistry()
    const npm = dirname(
      dirname(
        await program('node', ['-p', 'fs.realpathSync(process.argv[1])', (await program('which', ['npm'])).trim()]),
      ),
    ).trim()
    await makeMachineBase(bench.store, 'node:22-slim', {
      programs: [process.execPath],
      trees: { [npm]: ['docs', 'man', '**/*.md'] },
      files: {
        'usr/local/bin/node': { path: 'usr/local/bin/node', type: 'symlink', linkname: process.execPath },
        'usr/local/bin/npm': { path: 'usr/local/bin/npm', type: 'symlink', linkname: join(npm, 'bin/npm-cli.js') },
      },
    })
    bench.write({
      'server.js': SERVER,
      'package.json': JSON.stringify({ name: 'app', type: 'module', dependencies: DEPENDENCIES }),
      'package-lock.json': JSON.stringify(registry.lock),
      '.npmrc': `registry=${registry.address}/\naudit=false\nfund=false\nupdate-notifier=false\n`,
      '.dockerignore': 'node_modules\n',
    })
    await bench.build(GOOD, 'good:1')
    await bench.build(BAD, 'bad:1')
    expect(registry.counts.fetched).toBe(2)

    for (const name of ['good:1', 'bad:1']) {
      let answer = ''
      await bench.run(name, {
        until: async written => {
          const port = portIn(written)
          if (port !== undefined) answer = await (await fetch(`http://127.0.0.1:${port}/you`)).text()
          return port !== undefined
        },
      })
      expect([name, answer]).toEqual([name, 'hello you from node'])
    }

    const list = 'npm ls --all --json && echo , && npm ls --global --all --json'
    const { code, stdout } = await bench.run('good:1', { command: ['sh', '-c', list] })
    expect(code).toBe(0)
    const [own, ofNpm] = JSON.parse(`[${stdout}]`).map(namesIn)
    expect(unique(own)).toEqual(['@scope/tool@0.1.0', 'greet@1.2.3', 'inner@3.0.0', 'words@1.0.0', 'words@2.0.0-rc.1'])
    expect(ofNpm.length).toBeGreaterThan(50)
    const { packages, unread } = await readPackages(bench.store, 'good:1')
    expect(unique(packages.map(({ name, version }) => `${name}@${version}`))).toEqual(unique([...own, ...ofNpm]))
    expect(unread).toEqual([])

    bench.write({ 'server.js': `// changed\n${SERVER}` })
    const good = outcomesOf(await bench.build(GOOD, 'good:2'))
    expect(good.filter(line => line.startsWith('made'))).toEqual(['made COPY . .'])
    expect(registry.counts.fetched).toBe(2)
    const bad = outcomesOf(await bench.build(BAD, 'bad:2'))
    expect(bad.filter(line => line.startsWith('made'))).toEqual(['made COPY . .', 'made RUN npm ci --omit=dev'])
    expect(registry.counts.fetched).toBe(3)
  },
  240_000,
)
