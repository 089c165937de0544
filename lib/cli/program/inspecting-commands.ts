import type { AnalyzeOptions } from '../commands/inspecting/analyze.ts'
import type { BenchOptions } from '../commands/inspecting/bench.ts'
import type { CheckCommandOptions } from '../commands/inspecting/check.ts'
import type { DedupOptions } from '../commands/inspecting/dedup.ts'
import type { DiffOptions } from '../commands/inspecting/diff.ts'
import type { HistoryOptions } from '../commands/inspecting/history.ts'
import type { SbomCommandOptions } from '../commands/inspecting/sbom.ts'
import type { ValidateOptions } from '../commands/inspecting/validate.ts'
import type { GlobalOptions } from '../session/session.ts'
import { type Add, collect, type InSession, onePlatform } from './parts.ts'

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
  add(
    'diff <name> [other]',
    'compare two images: config, layers, and files by content; of one ID: what a container has changed',
  )
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
  add(
    'sbom <name>',
    'list the packages of an image (dpkg, apk, rpm, npm, Python, Go, Java) with their licences and layers',
  )
    .option(...onePlatform)
    .option('--format <f>', 'table, spdx (SPDX 2.3 JSON) or cyclonedx (CycloneDX 1.6 JSON) (default: table)')
    .option('--diff <old>', 'list what was added, removed and changed since another image')
    .option('--attach', 'push the document beside the image, as a referrer: SPDX, or that of --format')
    .option('--attest', 'push it as a statement about the image (in-toto), as BuildKit does')
    .option('--existing [type]', 'list documents and statements that the image was given, or print one; not verified')
    .action((name: string, options: GlobalOptions & SbomCommandOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/sbom.ts')).sbom(s, name, options)),
    )
  add('check <name>', 'match the packages of an image with advisories, offline; exit code 1 if one counts')
    .option(...onePlatform)
    .option('--db <dir>', 'directory with advisories as OSV publishes them, JSON files; may be repeated', collect)
    .option('--vex <file>', 'statements that clear packages, OpenVEX or CycloneDX; may be repeated', collect)
    .option(
      '--severity <level>',
      'least severity that counts: low, medium, high or critical (default: all, unknown too)',
    )
    .action((name: string, options: GlobalOptions & CheckCommandOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/check.ts')).check(s, name, options)),
    )
  add(
    'dedup [name...]',
    'measure what images need if each layer, file or chunk is kept once (default: the whole store)',
  )
    .option(...onePlatform)
    .option('--chunk-size <n>', 'mean size of chunks, a power of 2 (default: 16KiB)')
    .option('--no-compress', 'measure uncompressed bytes only, which is faster')
    .action((names: string[], options: GlobalOptions & DedupOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/dedup.ts')).dedup(s, names, options)),
    )
  add('bench <what...>', 'measure digests, the making of layers and deduplication on files, directories and images')
    .addHelpText(
      'after',
      '\nWHAT: a file or a directory if there is one of that name, else an image. Files are read, and copied to a\ntemporary directory; every figure is the median of rounds in which all ways alternate.',
    )
    .option(...onePlatform)
    .option('--only <part>', 'measure only hash, layer or dedup; may be repeated', collect)
    .option('--rounds <n>', 'number of rounds; one more before them is not counted (default: 5)')
    .option('--bytes <n>', 'bytes that are read for the digests (default: 64MB)')
    .option('--svg <file>', 'also write a picture of the result')
    .action((names: string[], options: GlobalOptions & BenchOptions) =>
      inSession(options, async s => (await import('../commands/inspecting/bench.ts')).bench(s, names, options)),
    )
  add('analyze <name> [older...]', 'measure what an image wastes, and find caches and secrets in its layers')
    .addHelpText(
      'after',
      '\nOLDER: earlier releases, newest first; then the command advises how to split the image into layers,\nand the page of --html compares them.',
    )
    .option(...onePlatform)
    .option('--base <image>', 'base of the image (default: the image that its annotation names, else the lowest layer)')
    .option('--top <n>', 'number of entries printed of each list (default: 10)')
    .option('--no-secrets', 'do not look for secrets')
    .option('--html <file>', 'write a page with the layers, a map of the files and all findings; - prints it alone')
    .option('--dedup', 'measure for the page what files and chunks kept once would save; reads every layer')
    .option('--dive-json <file>', 'write the report of dive to a file; - prints it alone')
    .option('--ci', 'check the rules of .dive-ci in this directory, or those of dive; exits with 1 if one fails')
    .option('--ci-config <file>', 'check the rules of this file')
    .option('--lowestEfficiency <share>', 'fail below this efficiency, 0 to 1')
    .option('--highestWastedBytes <n>', 'fail above this waste as dive counts it, e.g. 20MB')
    .option('--highestUserWastedPercent <share>', 'fail above this share of waste above the lowest layer, 0 to 1')
    .option('--max-size <n>', 'fail if the compressed layers are larger, e.g. 200MB')
    .option('--max-unpacked <n>', 'fail if the files of all layers are larger')
    .option('--fail-on-secrets', 'fail if a layer or the config holds a secret')
    .action((name: string, older: string[], options: GlobalOptions & AnalyzeOptions) =>
      inSession(options, async s =>
        (await import('../commands/inspecting/analyze.ts')).analyze(s, name, older, options),
      ),
    )
}
