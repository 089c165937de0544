import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { dirname, join } from 'node:path'

/** Runs git in a directory with a fixed identity and time, and returns its output. */
export function git(directory: string, ...args: string[]): string {
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_DATE: '2001-02-03T04:05:06Z',
    GIT_COMMITTER_DATE: '2001-02-03T04:05:06Z',
  }
  const config = ['user.name=t', 'user.email=t@example.com', 'init.defaultBranch=main', 'protocol.file.allow=always']
  const words = [...config.flatMap(pair => ['-c', pair]), ...args]
  return execFileSync('git', words, { cwd: directory, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/** Makes a repository `NAME.git` below a directory with one commit of files; returns its path. */
export function makeRepository(parent: string, name: string, files: Record<string, string>): string {
  const directory = join(parent, `${name}.git`)
  mkdirSync(directory, { recursive: true })
  git(directory, 'init', '--quiet')
  commitFiles(directory, files)
  return directory
}

/** Commits files to a repository, and returns the id of the commit. */
export function commitFiles(directory: string, files: Record<string, string>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  git(directory, 'add', '--all')
  git(directory, 'commit', '--quiet', '--allow-empty', '-m', 'm')
  return git(directory, 'rev-parse', 'HEAD')
}

/** A running server of repositories. */
export interface GitServer extends AsyncDisposable {
  /** Address, as `http://127.0.0.1:1234`. */
  readonly url: string
  /** Method and path of every request so far. */
  readonly requests: string[]
}

/**
 * Serves the repositories below a directory over HTTP, by git's own CGI program, or with `dumb` as plain files, which
 * an old static server would give.
 */
export async function serveGit(root: string, { dumb = false } = {}): Promise<GitServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    if (dumb) giveFile(root, request, response)
    else runCgi(root, request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A server that takes connections and never answers. */
export async function serveSilence(): Promise<GitServer> {
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  connect(port, '127.0.0.1').end()
  return {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    [Symbol.asyncDispose]: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function giveFile(root: string, { url = '/' }: IncomingMessage, response: ServerResponse): void {
  const path = new URL(url, 'http://x').pathname.replace(/^\/([^/]+\.git)\//, '$1/.git/')
  try {
    response.end(readFileSync(join(root, path)))
  } catch {
    response.writeHead(404).end()
  }
}

function runCgi(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      HOME: root,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => {})
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.once('close', () => {
    const answer = Buffer.concat(chunks)
    const end = answer.indexOf('\r\n\r\n')
    const lines = answer.subarray(0, Math.max(0, end)).toString().split('\r\n')
    const headers = lines.map(line => line.split(': ', 2) as [string, string])
    const status = headers.find(([name]) => name === 'Status')?.[1]
    response.writeHead(status ? Number.parseInt(status, 10) : 200, Object.fromEntries(headers.filter(h => h[1])))
    response.end(answer.subarray(end + 4))
  })
}
