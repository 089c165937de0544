import { FormatError } from '../../../errors/index.ts'
import { formatPlatform, parsePlatform, parseReference, platformOfConfig } from '../../../oci/index.ts'
import { didYouMean } from '../../document/did-you-mean.ts'
import type { Instruction, Word } from '../../document/document.ts'
import { globalArguments } from '../../evaluate/arguments/global-arguments.ts'
import { readPlatform } from '../../evaluate/arguments/platform-arguments.ts'
import { splitStages } from '../../evaluate/stages/split-stages.ts'
import type { Expanded } from '../../expansion/expand-word.ts'
import { type Evaluated, type RawFinding, warning } from '../rule.ts'

/** Rules about FROM. */
export function fromRules(evaluated: Evaluated): RawFinding[] {
  const { document, globals, declared, scope } = evaluated
  const known = new Set([...globals.keys(), ...declared])
  const expand = (word: Word) => scope.expand(word.text, word.position, { lookup: name => globals.get(name) })
  return [
    ...splitStages(document).stages.flatMap(({ from, name }) => {
      const flag = from.flags.find(candidate => candidate.name === 'platform')
      const platform = flag?.value ? expand({ text: flag.value, position: flag.position }) : undefined
      return [
        ...undefinedArguments(from, [expand(from.words[0]!), ...(platform ? [platform] : [])], known),
        ...(platform ? platformRules(from, flag!.value!, platform, name ?? '', globals) : []),
      ]
    }),
    ...invalidDefaults(evaluated),
    ...basePlatforms(evaluated),
  ]
}

function undefinedArguments(from: Instruction, words: readonly Expanded[], known: ReadonlySet<string>): RawFinding[] {
  const names = words.flatMap(({ unmatched }) => [...unmatched].filter(name => !known.has(name)))
  return names.map(name => {
    const hint = didYouMean(name, known) ?? `declare it above the first FROM: ARG ${name}`
    return warning('UndefinedArgInFrom', from, `FROM uses the argument ${name}, which no ARG above it declares`, hint)
  })
}

function platformRules(
  from: Instruction,
  written: string,
  { text, matched, unmatched }: Expanded,
  stage: string,
  globals: ReadonlyMap<string, string>,
): RawFinding[] {
  if (unmatched.size === 0 && matched.size === 1 && matched.has('TARGETPLATFORM')) {
    if (text !== globals.get('TARGETPLATFORM')) return []
    const message = `--platform=${written} is what a stage has anyway`
    return [warning('RedundantTargetPlatform', from, message, 'remove the flag')]
  }
  if (matched.size + unmatched.size > 0) return []
  const { os, architecture } = readPlatform(text)
  if (stage.includes(os) || stage.includes(architecture)) return []
  const hint = 'use --platform=$BUILDPLATFORM or a build argument, or name the platform in the name of the stage'
  return [warning('FromPlatformFlagConstDisallowed', from, `--platform=${text} is a constant`, hint)]
}

/** Every base must be a valid reference with the defaults alone, without build arguments. */
function invalidDefaults({ document, scope, automatic }: Evaluated): RawFinding[] {
  const { globals, stages } = splitStages(document)
  try {
    const { values } = globalArguments(globals, automatic, new Map(), scope)
    return stages.flatMap(({ from }) => {
      const base = from.words[0]!
      const { text } = scope.expand(base.text, base.position, { lookup: name => values.get(name) })
      if (isReference(text)) return []
      const hint = 'give the argument a default that makes a valid name'
      const message = `with the defaults of the arguments, the base ${base.text} is not a valid name`
      return [warning('InvalidDefaultArgInFrom', from, message, hint, base.position)]
    })
  } catch {
    // BuildKit skips this rule if the defaults cannot be expanded: the build reports the error.
    return []
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text)
    return true
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

/** Bases whose config is known and names another platform than the stage. */
function basePlatforms({ evaluated }: Evaluated): RawFinding[] {
  return evaluated.flatMap(({ stage, config }) => {
    const actual = config && platformOfConfig(config)
    const wanted = parsePlatform(stage.platform)
    if (!actual || (actual.os === wanted.os && actual.architecture === wanted.architecture)) return []
    const message = `the base ${stage.baseName} is for ${formatPlatform(actual)}, not for ${stage.platform}`
    const hint = 'choose a base that has the platform, or another --platform'
    return [warning('InvalidBaseImagePlatform', stage.from, message, hint)]
  })
}
