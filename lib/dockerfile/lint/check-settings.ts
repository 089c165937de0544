import { dockerfileFault, quoted } from '../document/dockerfile-fault.ts'
import type { DockerfileDocument, Instruction } from '../document/document.ts'

/** Settings of `# check=`. */
export interface CheckSettings {
  readonly skip: ReadonlySet<string> | 'all'
  readonly error: boolean
  readonly experimental: ReadonlySet<string> | 'all'
}

const NOTHING: CheckSettings = { skip: new Set(), error: false, experimental: new Set() }

/** Settings of the whole file: those of the build argument `BUILDKIT_DOCKERFILE_CHECK`, else of the directive. */
export function fileSettings(document: DockerfileDocument, argument: string | undefined): CheckSettings {
  const directive = document.directives.find(({ name }) => name === 'check')
  // SPEC: a directive's value ends at the first blank.
  const text = argument ?? directive?.value.split(' ')[0] ?? ''
  const settings = readSettings(text)
  if (typeof settings !== 'string') return settings
  throw dockerfileFault(document, argument === undefined ? directive?.position : undefined, settings)
}

/** Settings of `# check=` in the comments directly above an instruction; they count for it alone. */
export function instructionSettings({ comments }: Instruction): CheckSettings {
  for (const comment of comments) {
    const value = /^check[ \t]*=[ \t]*(\S+)/i.exec(comment)?.[1]
    const settings = value === undefined ? undefined : readSettings(value)
    if (settings !== undefined && typeof settings !== 'string') return settings
  }
  return NOTHING
}

/**
 * Parses `skip=A,B;error=true;experimental=all`; returns a text that describes the fault of an invalid one. Unknown
 * rules are ignored.
 */
function readSettings(text: string): CheckSettings | string {
  let { skip, error, experimental } = NOTHING
  for (const part of text.split(';').filter(Boolean)) {
    const equals = part.indexOf('=')
    const key = part.slice(0, Math.max(0, equals)).trim()
    const value = part.slice(equals + 1).trim()
    if (key === 'skip') skip = namesOf(value)
    else if (key === 'experimental') experimental = namesOf(value)
    else if (key !== 'error') return `invalid check option ${quoted(part)}: it is skip, error or experimental`
    else if (!/^(?:true|false|1|0|t|f)$/i.test(value))
      return `check option error is true or false, not ${quoted(value)}`
    else error = /^[1t]/i.test(value)
  }
  return { skip, error, experimental }
}

function namesOf(text: string): ReadonlySet<string> | 'all' {
  return text === 'all' ? 'all' : new Set(text.split(',').map(name => name.trim()))
}
