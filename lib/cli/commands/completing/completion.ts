import type { Command } from 'commander'
import { completionModel } from '../../completing/completion-model.ts'
import { UsageError } from '../../failing/usage-error.ts'
import type { Session } from '../../session/session.ts'

/** `completion bash|zsh|fish`: prints a script that completes the commands, options and names of this program. */
export async function completion(session: Session, shell: string, program: Command): Promise<void> {
  const write = await writerOf(shell)
  session.raw(Buffer.from(write(completionModel(program))))
}

async function writerOf(shell: string) {
  if (shell === 'bash') return (await import('../../completing/bash-script.ts')).bashScript
  if (shell === 'zsh') return (await import('../../completing/zsh-script.ts')).zshScript
  if (shell === 'fish') return (await import('../../completing/fish-script.ts')).fishScript
  throw new UsageError(`completion takes bash, zsh or fish; got ${JSON.stringify(shell)}`)
}
