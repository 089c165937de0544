import type { Command } from 'commander'
import type { GlobalOptions } from '../session/session.ts'
import type { Add, InSession } from './parts.ts'

/** Adds the commands about the program itself. `whole` defines all of its commands, which a completion script names. */
export function addToolCommands(
  add: Add,
  addHidden: Add,
  { inSession, whole }: { readonly inSession: InSession; readonly whole: () => Command },
): void {
  add('completion <shell>', 'print a script that completes commands, options and names: bash, zsh or fish')
    .addHelpText(
      'after',
      '\nIn this shell only: source <(layerstore completion bash); layerstore completion fish | source',
    )
    .action((shell: string, options: GlobalOptions) =>
      inSession(options, async s =>
        (await import('../commands/completing/completion.ts')).completion(s, shell, whole()),
      ),
    )
  addHidden('__complete <kind>', 'list the names that a completion script offers').action(
    (kind: string, options: GlobalOptions) =>
      inSession(options, async s => (await import('../commands/completing/offer-names.ts')).offerNames(s, kind)),
  )
}
