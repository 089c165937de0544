import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { transpileLibrary } from './transpile-library.ts'

/** The command line in processes of their own. */
export interface CliProcesses {
  /** Program and arguments that run it. */
  readonly command: readonly [string, ...string[]]
  /** Starts it with pipes, or on a terminal of its own (`script` of util-linux), where a written `\x03` is Ctrl-C. */
  start(
    args: readonly string[],
    options?: { tty?: boolean; columns?: number; env?: Record<string, string> },
  ): StartedCli
}

/** One process. */
export interface StartedCli {
  readonly child: ChildProcessWithoutNullStreams
  /** What it has printed so far; on a terminal all of it is in `stdout`. */
  readonly text: { stdout: string; stderr: string }
  /** Resolves to its exit code when it has ended. */
  readonly ended: Promise<number | null>
}

/** Lays the command line out as in the package, in a directory of the test's own. */
export function cliProcesses(directory: string, store: string): CliProcesses {
  const root = join(directory, 'package')
  mkdirSync(root)
  writeFileSync(join(root, 'package.json'), '{"version":"9.9.9","type":"module"}')
  symlinkSync(transpileLibrary(), join(root, 'dist'))
  const flags = ['--preserve-symlinks', '--preserve-symlinks-main']
  const command = [process.execPath, ...flags, join(root, 'dist/cli/main.js')] as const
  const env = { PATH: process.env.PATH, HOME: directory, LAYERSTORE_STORE: store, LAYERSTORE_CONFIG: devNull }
  return {
    command: [...command],
    start(args, { tty = false, columns, env: more = {} } = {}) {
      const line = [...command, ...args]
      // A terminal of script(1) has no size if the one that starts it has none.
      const size = columns === undefined ? '' : `stty cols ${columns} rows 20; exec `
      const [file, ...rest] = tty ? ['script', '-qec', `${size}${line.map(quoted).join(' ')}`, '/dev/null'] : line
      const child = spawn(file!, rest, { env: { ...env, ...more }, stdio: 'pipe' })
      const text = { stdout: '', stderr: '' }
      child.stdout.setEncoding('utf8').on('data', chunk => {
        text.stdout += chunk
      })
      child.stderr.setEncoding('utf8').on('data', chunk => {
        text.stderr += chunk
      })
      // A process that ends early closes its stdin.
      child.stdin.on('error', () => {})
      return { child, text, ended: once(child, 'close').then(([code]) => code as number | null) }
    },
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
