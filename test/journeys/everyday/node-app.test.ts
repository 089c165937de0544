import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
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

/** A package of a registry, and the server that has it; \`fetched\` counts its downloads. */
async function packageRegistry() {
  const files = {
    'package/package.json': '{"name":"greet","version":"1.2.3","type":"module","exports":"./index.js"}',
    'package/index.js': 'export default name => "hello " + name\n',
  }
  const tarball = gzipSync(rawTar(Object.entries(files).map(([path, content]) => ({ path, content }))))
  const counts = { fetched: 0 }
  const server = createServer((request, response) => {
    if (request.url === '/greet/-/greet-1.2.3.tgz') {
      counts.fetched++
      response.end(tarball)
    } else response.writeHead(404).end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const lock = {
    name: 'app',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'app', dependencies: { greet: '1.2.3' } },
      'node_modules/greet': {
        version: '1.2.3',
        resolved: `${address}/greet/-/greet-1.2.3.tgz`,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      },
    },
  }
  return { counts, lock, address, [Symbol.dispose]: () => void server.close() }
}

test.runIf(able)(
  'a web app in Node installs from its lock file and answers; layer order decides what is redone',
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
      'package.json': '{"name":"app","type":"module","dependencies":{"greet":"1.2.3"}}',
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

    bench.write({ 'server.js': `// changed\n${SERVER}` })
    const good = outcomesOf(await bench.build(GOOD, 'good:2'))
    expect(good.filter(line => line.startsWith('made'))).toEqual(['made COPY . .'])
    expect(registry.counts.fetched).toBe(2)
    const bad = outcomesOf(await bench.build(BAD, 'bad:2'))
    expect(bad.filter(line => line.startsWith('made'))).toEqual(['made COPY . .', 'made RUN npm ci --omit=dev'])
    expect(registry.counts.fetched).toBe(3)
  },
  120_000,
)
