import type { Command } from 'commander'
import type { AppendOptions } from '../commands/composing/append.ts'
import type { GlobalOptions } from '../session/session.ts'
import { policyOption } from '../signing/policy-of.ts'
import { type Add, collect, type InSession, withRunConfig } from './parts.ts'

/** Adds `append`. */
export function addAppendCommand(add: Add, inSession: InSession): void {
  const append = add('append <base>', 'add directories and files on top of an image (or of scratch); prints its digest')
    .option(
      '-d, --dir <dir[:/at]>',
      'directory to add as a layer, and its place in the image; may be repeated',
      collect,
    )
    .option('-f, --file <src[:/at[:mode]]>', 'file to add, its place and its permissions; may be repeated', collect)
    .option('--push <ref>', 'push the result; it then needs no name in the store')
    .option('--pull', 'also pull the layers of the base; without it they stay in the registry')
    .option(...policyOption)
    .option('--annotation <name=value>', 'annotation of the manifest; may be repeated', collect)
    .option('--created <time>', 'creation time: seconds or a date (default: SOURCE_DATE_EPOCH or 0)')
  withRunConfig(append).option('--platform <p>', 'platform to select from the base, or of an image from scratch')
  withWritingPolicies(append).action((base: string, options: GlobalOptions & AppendOptions) =>
    inSession(options, async s => (await import('../commands/composing/append.ts')).append(s, base, options)),
  )
}

/** Adds the options that set how a directory becomes a layer. */
function withWritingPolicies(command: Command): Command {
  return command
    .option('--compression <kind>', 'gzip, zstd or none', 'gzip')
    .option('--level <n>', 'compression level: gzip 0 to 9 (default: 6), zstd 1 to 19 (default: 3)')
    .option(
      '--mtime <time>',
      'time of all files: seconds, a date, source, or clamp[:time], which lowers later times (default: SOURCE_DATE_EPOCH or 0)',
    )
    .option('--owner <uid[:gid]>', 'owner of all files, or source (default: 0:0)')
    .option('--map-uid <from=to>', 'change one owner and keep the others; may be repeated', collect)
    .option('--map-gid <from=to>', 'change one group and keep the others; may be repeated', collect)
    .option(
      '--mode <mode>',
      'normal (0644, or 0755 if executable), source, 0640, or 0640:0750 for files:directories',
      'normal',
    )
    .option('--ignore <pattern>', 'omit these paths, as a .dockerignore file does; may be repeated', collect)
    .option('--ignore-file <file>', 'omit the paths that the patterns in a file match')
    .option('--hard-links <how>', 'keep hard links, or copy the file for each name', 'keep')
    .option('--xattrs', 'keep extended attributes (needs the package fs-xattr)')
    .option('--no-parents', 'write no entries for the target directory and its parents')
}
