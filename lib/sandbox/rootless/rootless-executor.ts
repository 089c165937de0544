import { SandboxError } from '../../errors/index.ts'
import { keepFault } from '../../internal/byte-source.ts'
import { isErrno } from '../../internal/errno.ts'
import type { Executor, ExecutorProbe, ProcessExit, ProcessSpec } from '../executors/executor.ts'
import type { ExecutorName } from '../executors/machine-executor.ts'
import { withNote } from '../executors/process/with-note.ts'
import { howToGiveIds } from './id-ranges.ts'
import type { ConnectedSandbox, SandboxClient } from './sandbox-client.ts'
import type { ProcessEvent, SentProcess } from './sandbox-service.ts'

interface Probed {
  readonly found: ExecutorProbe
  /** Name of the executor, which was chosen now if there was a choice. */
  readonly name: string
}

/** An executor whose processes are started in the namespace. */
export function rootlessExecutor(client: SandboxClient, executor: ExecutorName | undefined): Executor {
  let name: string = executor ?? 'bubblewrap or runc or chroot'
  return {
    get name() {
      return name
    },

    async probe({ signal, platform } = {}) {
      try {
        const sandbox = await client.connect({ signal })
        const { found, ...probed } = await sandbox.channel.call<Probed>('probe', { executor, platform }, { signal })
        name = probed.name
        if (!found.works || sandbox.ids !== 'one') return found
        const notes = [found.note, oneIdNote(sandbox)].filter(note => note !== undefined)
        return { ...found, note: notes.join('; ') }
      } catch (error) {
        signal?.throwIfAborted()
        if (SandboxError.is(error) || isErrno(error)) return { works: false, reason: (error as Error).message }
        throw error
      }
    },

    async run(spec) {
      keepFault(spec.stdin)
      const sandbox = await client.connect({ signal: spec.signal })
      if (sandbox.ids === 'one') assertOneId(spec, sandbox)
      const exit = await runIn(client, sandbox, executor, spec)
      return sandbox.ids === 'one' ? withNote(exit, oneIdNote(sandbox)) : exit
    },
  }
}

async function runIn(
  { offered }: SandboxClient,
  { channel }: ConnectedSandbox,
  executor: ExecutorName | undefined,
  { onOutput, onStart, signal, stdin, ...spec }: ProcessSpec,
): Promise<ProcessExit> {
  let pid: number | undefined
  const onEvent = (event: ProcessEvent) => {
    if ('chunk' in event) onOutput?.(event.chunk, event.stream)
    else if ('pid' in event) pid = event.pid
    else {
      // It may have ended meanwhile: then nothing is to be killed.
      const kill = (name: NodeJS.Signals) => void channel.call('kill', { id: event.started, name }).catch(() => {})
      onStart?.({ kill, pid: () => pid })
    }
  }
  const run = (given: SentProcess['stdin']) => {
    const sent: SentProcess = { ...spec, stdin: given }
    return channel.call<ProcessExit>('run', { executor, spec: sent }, { signal, onEvent })
  }
  return typeof stdin === 'object' ? offered.withArchive(() => stdin, run) : run(stdin)
}

/** SAFETY: without this the process would run as root of the image, which the image forbids. */
function assertOneId({ user: { uid, gid, groups } }: Pick<ProcessSpec, 'user'>, sandbox: ConnectedSandbox): void {
  if (uid === 0 && gid === 0 && groups.every(group => group === 0)) return
  const what = `a process cannot run as user ${uid}:${gid}`
  throw new SandboxError('ERR_SANDBOX_ONE_ID', `${what}: ${oneIdNote(sandbox)}`)
}

function oneIdNote({ refusal }: ConnectedSandbox): string {
  const how = howToGiveIds()
  const why = refusal === undefined ? '' : ` (${refusal})`
  return `this user has one id in the sandbox${why}, so chown to others and setgroups fail${how && `; ${how}`}`
}
