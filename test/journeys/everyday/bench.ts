import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BuildResult, buildImage, dockerfileStages } from '../../../lib/build/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import { machineSandbox, type RunImageOptions, runImage, type Sandbox } from '../../../lib/sandbox/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/** True if everyday images can be built and run here. If not, prints why. */
export function needsEveryday(): boolean {
  return [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)
}

/** A store, a sandbox and a context, for building and running images. */
export async function everydayBench() {
  const place = temporaryDirectory('everyday')
  const store = await openStore(join(place.path, 'store'), { durability: 'none' })
  const sandbox = machineSandbox({ directory: join(place.path, 'snapshots') })
  const context = join(place.path, 'context')
  const { executor, snapshots } = sandbox
  const output: string[] = []
  return {
    store,
    context,
    /** Lines that the commands of builds have written. */
    output,
    /** Writes files of the context; those with `#!` are programs. */
    write(files: Readonly<Record<string, string | Uint8Array>>): void {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(context, path)), { recursive: true })
        const isProgram = typeof content === 'string' && content.startsWith('#!')
        writeFileSync(join(context, path), content, { mode: isProgram ? 0o755 : 0o644 })
      }
    },
    async build(dockerfile: string, name: string): Promise<BuildResult> {
      try {
        return await buildImage(store, dockerfileStages(dockerfile), {
          context,
          executor,
          snapshots,
          names: [name],
          compression: 'none',
          cacheMounts: join(place.path, 'caches'),
          onProgress: event => event.kind === 'step-output' && output.push(Buffer.from(event.chunk).toString('utf8')),
        })
      } catch (error) {
        // The output of a command says why it failed.
        console.error(output.join('').slice(-2000))
        throw error
      }
    },
    run: (name: string, options?: TriedOptions): Promise<TriedImage> => tryImage(store, name, sandbox, options),
    async [Symbol.asyncDispose](): Promise<void> {
      await sandbox[Symbol.asyncDispose]()
      await store.close()
      place[Symbol.dispose]()
    },
  }
}

/** The end of a process of an image, and what it wrote. */
interface TriedImage {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface TriedOptions extends Pick<RunImageOptions, 'command' | 'environment' | 'user'> {
  /** Called with all that the process has written to stdout so far. Resolves to true to end the process. */
  readonly until?: (stdout: string) => Promise<boolean>
}

/** Runs an image as its config says. The exit code of a process that `until` ends is 0. */
async function tryImage(
  store: Store,
  name: string,
  sandbox: Sandbox,
  { until, ...settings }: TriedOptions = {},
): Promise<TriedImage> {
  const written = { stdout: '', stderr: '' }
  const stop = new AbortController()
  const done = new Error('done')
  const end = (isDone: boolean | undefined) => isDone && stop.abort(done)
  const onOutput = (chunk: Uint8Array, stream: 'stdout' | 'stderr') => {
    written[stream] += Buffer.from(chunk).toString('utf8')
    until?.(written.stdout).then(end, error => stop.abort(error))
  }
  const options: RunImageOptions = { ...settings, sandbox, onOutput, signal: stop.signal }
  const { code } = await runImage(store, name, options).catch(error => {
    if (error === done) return { code: 0 }
    throw error
  })
  return { code, ...written }
}

/** A line of the everyday servers: the port of the machine that they listen at. */
export function portIn(stdout: string): number | undefined {
  const port = /listening at (\d+)\n/.exec(stdout)?.[1]
  return port === undefined ? undefined : Number(port)
}
