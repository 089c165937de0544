import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import { findSystemProgram } from '../../sandbox/index.ts'

/** Options of {@link runGit}. */
export interface RunGitOptions extends AbortOptions {
  /** Directory with the configuration that {@link writeGitHome} wrote. */
  readonly home: string
  /** Working directory. @defaultValue `home` */
  readonly directory?: string | undefined
  /** Time in milliseconds after which a run that prints nothing is killed. @defaultValue no limit */
  readonly silentMs?: number | undefined
}

/** End of a run of git. */
export interface GitRun {
  readonly code: number
  /** Standard output. */
  readonly output: string
  /** Last lines of the messages, without the progress and the credentials of addresses. */
  readonly messages: string
  /** True if the run was killed because it printed nothing. */
  readonly wasSilent: boolean
}

/** SAFETY: a server chooses the length of what git prints. */
const MOST_OUTPUT = 64 * 1024 * 1024
const MOST_MESSAGES = 4096

/** Protocols of repositories and submodules. `file` would read this machine, and `ext` runs commands. */
const PROTOCOLS = 'git:http:https:ssh'

/** A host that is silent for a minute ends the run, as with HTTP; one that does not answer at all, after 30 s. */
const SSH_TIMES = '-o ConnectTimeout=30 -o ServerAliveInterval=20 -o ServerAliveCountMax=3'

/** Variables of the caller that git receives: proxies, certificates, the agent of ssh. */
const PASSED =
  /^(?:https?_proxy|no_proxy|all_proxy|GIT_SSL_CAINFO|GIT_SSL_CAPATH|SSL_CERT_FILE|SSL_CERT_DIR|SSH_AUTH_SOCK)$/i

/**
 * SAFETY: this configuration takes the place of the user's and the system's. No hook, file monitor, filter or helper of
 * credentials runs, and nothing of a repository chooses a program.
 */
const CONFIG = `[core]
	hooksPath = /dev/null
	fsmonitor = false
	autocrlf = false
	symlinks = true
	logAllRefUpdates = false
	protectHFS = true
	protectNTFS = true
[credential]
	helper =
[protocol "file"]
	allow = never
[protocol "ext"]
	allow = never
[http]
	lowSpeedLimit = 1
	lowSpeedTime = 60
[gc]
	auto = 0
[maintenance]
	auto = false
[advice]
	detachedHead = false
[init]
	defaultBranch = main
	templateDir =
[submodule]
	recurse = false
`

/** Makes a directory the home of git: with a configuration of its own, and no other. */
export async function writeGitHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true })
  await writeFile(join(home, '.gitconfig'), CONFIG, { mode: 0o600 })
}

/**
 * Runs git with a bare environment, and resolves when it has ended, whatever its exit code. An aborted call kills it
 * with all its children.
 *
 * @throws {@link BuildError} `ERR_BUILD_UNSUPPORTED` if git is not installed.
 */
export async function runGit(args: readonly string[], options: RunGitOptions): Promise<GitRun> {
  const { home, directory = home, silentMs, signal } = options
  signal?.throwIfAborted()
  const git = findSystemProgram('git')
  if (!git) {
    const message = 'sources in git need the program git, which is not installed: install the package git'
    throw new BuildError('ERR_BUILD_UNSUPPORTED', message)
  }
  // The modes of checked out files must not depend on the mask of this process.
  const words = ['-c', 'umask 022 && exec "$@"', 'sh', git, ...args]
  const child = spawn('/bin/sh', words, {
    cwd: directory,
    env: environmentOf(home),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: git starts further programs, which end with it.
    detached: true,
  })
  const kill = () => killGroup(child.pid)
  signal?.addEventListener('abort', kill, { once: true })
  let wasSilent = false
  const onSilence = () => {
    wasSilent = true
    kill()
  }
  const timer = silentMs === undefined ? undefined : setTimeout(onSilence, silentMs)
  try {
    const output: Buffer[] = []
    let size = 0
    let messages = ''
    child.stdout.on('data', (chunk: Buffer) => {
      timer?.refresh()
      size += chunk.length
      if (size <= MOST_OUTPUT) output.push(chunk)
      else kill()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      timer?.refresh()
      messages = (messages + chunk.toString('utf8')).slice(-MOST_MESSAGES)
    })
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', exit => resolve(exit ?? 128))
    })
    signal?.throwIfAborted()
    return { code, output: Buffer.concat(output).toString('utf8'), messages: readable(messages), wasSilent }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', kill)
  }
}

/** Lines of progress, of git and of its server. */
const PROGRESS = /^(?:remote: )?(?:[A-Z][\w ]+: +\d+[%,]|Total \d)/

function readable(messages: string): string {
  const lines = messages.split(/[\r\n]+/).filter(line => !PROGRESS.test(line))
  return withoutCredentials(lines.map(line => line.trimEnd()).join('\n')).trim()
}

function environmentOf(home: string): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([name]) => PASSED.test(name))
  return {
    ...Object.fromEntries(passed),
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'none'),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_ALLOW_PROTOCOL: PROTOCOLS,
    GIT_LFS_SKIP_SMUDGE: '1',
    // `-F none`: the configuration of ssh may start programs. Keys, known hosts and the agent are those of the user.
    GIT_SSH_COMMAND: `ssh -F none -o BatchMode=yes ${SSH_TIMES}`,
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
