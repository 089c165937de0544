import { expect, test } from 'vitest'
import { readImage } from '../../../lib/image/index.ts'
import { openUnionView } from '../../../lib/rootfs/index.ts'
import { freePort } from '../../helpers/free-port.ts'
import { makeMachineBase } from '../../helpers/machine-base.ts'
import { everydayBench, needsEveryday } from './bench.ts'

/** A stand-in for a compiler: what it writes is a static program, and the text of the source in it. */
const GO = `#!/bin/sh
[ "$1 $2" = "build -o" ] || { echo "usage: go build -o FILE DIRECTORY" >&2; exit 2; }
[ "$CGO_ENABLED" = 0 ] || { echo "go: set CGO_ENABLED=0" >&2; exit 1; }
grep -q "^package main" "$4"/*.go || exit 1
mkdir -p "\${GOCACHE:-$HOME/.cache/go-build}" && touch "\${GOCACHE:-$HOME/.cache/go-build}/$(cat "$4"/*.go | md5sum | cut -c1-8)"
mkdir -p "$(dirname "$3")" && cp /bin/busybox "$3"
`

const COMPILED = `FROM golang:1 AS build
WORKDIR /src
COPY go.mod ./
COPY cmd cmd
ARG VERSION=dev
RUN --mount=type=cache,target=/root/.cache/go-build \\
    CGO_ENABLED=0 go build -o /out/busybox-server ./cmd/server && echo "$VERSION" > /out/version

FROM scratch
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/busybox-server", "echo", "serving"]
CMD ["everything"]
`

test.runIf(needsEveryday())(
  'a program is compiled in one stage and is all that the image has',
  async () => {
    await using bench = await everydayBench()
    await makeMachineBase(bench.store, 'golang:1', {
      files: { 'usr/local/go/bin/go': GO },
      config: { Env: ['PATH=/usr/local/go/bin:/usr/bin:/bin', 'GOPATH=/go'] },
    })
    bench.write({ 'go.mod': 'module example\n', 'cmd/server/main.go': 'package main\n' })
    await bench.build(COMPILED, 'server:1')
    const image = await readImage(bench.store, 'server:1')
    const view = await openUnionView(bench.store, image)
    expect([...view.walk()].map(({ path }) => path)).toEqual(['busybox-server', 'version'])
    expect(await bench.run('server:1')).toEqual({ code: 0, stdout: 'serving everything\n', stderr: '' })
    expect(await bench.run('server:1', { command: ['one', 'thing'] })).toMatchObject({ stdout: 'serving one thing\n' })
  },
  120_000,
)

/** A stand-in for nginx, with the options of its image. */
const NGINX = `#!/bin/sh
[ "$1" = -g ] && [ "$2" = "daemon off;" ] || exit 2
echo "listening at $PORT"
exec httpd -f -p 127.0.0.1:$PORT -h /usr/share/nginx/html
`
const SITE = `FROM alpine:3 AS site
WORKDIR /site
COPY pages .
RUN for page in *.md; do { echo "<!doctype html>"; sed 's,^# \\(.*\\),<h1>\\1</h1>,' "$page"; } > "\${page%.md}.html"; done && rm *.md

FROM nginx:alpine
RUN rm -rf /usr/share/nginx/html/*
COPY --from=site --chown=1000:1000 /site/ /usr/share/nginx/html/
COPY --chmod=644 robots.txt /usr/share/nginx/html/
EXPOSE 80
`

test.runIf(needsEveryday())(
  'a static site is generated in one stage and served by the other',
  async () => {
    await using bench = await everydayBench()
    await makeMachineBase(bench.store, 'alpine:3', {})
    await makeMachineBase(bench.store, 'nginx:alpine', {
      files: {
        'usr/sbin/nginx': NGINX,
        'usr/share/nginx/html/index.html': 'welcome',
        'usr/share/nginx/html/50x.html': '',
      },
      config: { Cmd: ['nginx', '-g', 'daemon off;'], Env: ['PATH=/usr/sbin:/bin', 'PORT=80'] },
    })
    bench.write({ 'pages/index.md': '# Home\n', 'pages/about.md': '# About\ntext\n', 'robots.txt': 'User-agent: *\n' })
    await bench.build(SITE, 'site:1')
    const port = await freePort()
    const pages = new Map<string, string>()
    await bench.run('site:1', {
      environment: [`PORT=${port}`],
      until: async written => {
        if (!written.includes('listening')) return false
        for (const path of ['', 'about.html', 'robots.txt', '50x.html']) pages.set(path, await textAt(port, path))
        return true
      },
    })
    expect(Object.fromEntries(pages)).toEqual({
      '': '200 <!doctype html>\n<h1>Home</h1>\n',
      'about.html': '200 <!doctype html>\n<h1>About</h1>\ntext\n',
      'robots.txt': '200 User-agent: *\n',
      '50x.html': expect.stringMatching(/^404 /),
    })
  },
  120_000,
)

/** The answer of a server, which may not listen yet. */
async function textAt(port: number, path: string): Promise<string> {
  for (let left = 200; ; left--) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/${path}`)
      return `${response.status} ${await response.text()}`
    } catch (error) {
      if (left === 0) throw error
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }
}
