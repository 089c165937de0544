import type { Command } from 'commander'
import type { GlobalOptions } from '../session/session.ts'
import type { Add, InSession } from './parts.ts'

/** Adds the commands about the program itself and this machine. */
export function addToolCommands(add: Add, program: Command, inSession: InSession): void {
  add('completion <shell>', 'print a script that completes commands, options and names: bash, zsh or fish').action(
    (shell: string, options: GlobalOptions) =>
      inSession(options, async s =>
        (await import('../commands/completing/completion.ts')).completion(s, shell, program),
      ),
  )
  program
    .command('__complete <kind>', { hidden: true })
    .description('list the names that a completion script offers')
    .action((kind: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('../commands/completing/offer-names.ts')).offerNames(s, kind)),
    )
}
