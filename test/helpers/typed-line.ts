import { readFileSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { cli } from './run-cli.ts'

/** Output of a line, and the exit code of its last program that failed. */
export interface TypedRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Circumstances of a line. */
export interface TypedOptions {
  /** Directory of the store. */
  readonly store: string
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Runs a line of a page as a shell does, in this process: `layerstore`, `cat FILE` and `echo TEXT`, joined by pipes,
 * with variables before them and `> FILE` at the end. A server is stopped as soon as it listens. A pipe to another
 * program ends the line, so the output is what that program would read.
 */
export async function runTyped(line: string, options: TypedOptions): Promise<TypedRun> {
  let before: TypedRun = { code: 0, stdout: '', stderr: '' }
  let bytes: Uint8Array = Buffer.of()
  for (const stage of stagesOf(line)) {
    const { program, args, env, target } = stage
    if (program === 'echo') bytes = Buffer.from(`${args.join(' ')}\n`)
    else if (program === 'cat') bytes = readFileSync(args[0]!)
    else if (program === 'layerstore') {
      const ran = await layerstore(args, bytes, { ...options, env: { ...options.env, ...env } })
      before = { code: ran.code || before.code, stdout: ran.stdout, stderr: before.stderr + ran.stderr }
      bytes = ran.bytes
    } else if (before.stdout === '') throw new Error(`no program of a page: ${program} in ${line}`)
    if (target) writeFileSync(target, bytes)
  }
  return before
}

interface Stage {
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly target?: string
}

/** The programs of a line, joined by pipes. */
function stagesOf(line: string): Stage[] {
  const stages: string[][] = [[]]
  for (const [word, single, double] of line.matchAll(/'([^']*)'|"([^"]*)"|(?:[^\s'"]|'[^']*')+/g)) {
    if (word === '|') stages.push([])
    else stages.at(-1)!.push(single ?? double ?? word.replaceAll("'", ''))
  }
  return stages.map(words => {
    const env: NodeJS.ProcessEnv = {}
    while (/^[A-Z_]+=/.test(words[0] ?? '')) {
      const [name = '', value] = words.shift()!.split('=', 2)
      env[name] = value
    }
    const redirect = words.indexOf('>')
    const [program = '', ...args] = redirect < 0 ? words : words.slice(0, redirect)
    return { program, args, env, ...(redirect >= 0 && { target: words[redirect + 1]! }) }
  })
}

async function layerstore(args: readonly string[], stdin: Uint8Array, options: TypedOptions) {
  const stop = new AbortController()
  const chunks: Uint8Array[] = []
  const ran = await cli(args, {
    store: options.store,
    env: { ...options.env },
    stdin: Readable.from([stdin]),
    signal: stop.signal,
    onBytes: chunk => void chunks.push(Uint8Array.from(chunk)),
    onStderr: text => {
      if (args[0] === 'serve' && text.includes('listening on')) stop.abort()
    },
    onStdout: text => {
      if (args[0] === 'serve' && text.includes('listening on')) stop.abort()
    },
  })
  return { ...ran, bytes: Buffer.concat(chunks) }
}
