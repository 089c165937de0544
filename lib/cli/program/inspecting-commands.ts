import type { DiffOptions } from '../commands/inspecting/diff.ts'
import type { HistoryOptions } from '../commands/inspecting/history.ts'
import type { ValidateOptions } from '../commands/inspecting/validate.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, type InSession, onePlatform } from './parts.ts'

/** Adds the commands that measure and compare images, in the store or elsewhere. */
export function addInspectingCommands(add: Add, inSession: InSession): void {
  add('history <name>', 'list the steps of an image with the size of each layer, as docker history does')
    .option(...onePlatform)
    .option('--no-trunc', 'print commands and digests in full')
    .option('-H, --human', 'print ages and rounded sizes (the default)')
    .option('--no-human', 'print times and bytes')
    .option('--format <f>', "json, or a template such as '{{.ID}} {{.Size}} {{.CreatedBy}}'; table before it aligns it")
    .action((name: string, options: GlobalOptions & HistoryOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/history.ts')).history(s, name, options)),
    )
  add('diff <name> [other]', 'compare two images: config, layers, and files by content')
    .option(...onePlatform)
    .option('--no-files', 'compare config and layers only, without reading layers')
    .option('--no-times', 'ignore the times of files')
    .option('--exit-code', 'exit with 1 if the images differ')
    .action((name: string, other: string | undefined, options: GlobalOptions & DiffOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/diff.ts')).diff(s, name, other, options)),
    )
  add('validate <name>', 'read an image from end to end and list all of its faults; exit code 1 if there are errors')
    .option(...onePlatform)
    .option('--strict', 'exit with 1 for warnings too')
    .action((name: string, options: GlobalOptions & ValidateOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/validate.ts')).validate(s, name, options)),
    )
}
