import { BASED } from './based.ts'
import { EXPANSION } from './expansion.ts'
import { FILES, LINT, STAGES } from './files-and-stages.ts'
import { LINES, WORDS } from './lines.ts'
import type { TextCase } from './text-case.ts'

/** Every text whose outcome is recorded in `outcomes.json`. */
export const TEXTS: readonly TextCase[] = [...LINES, ...WORDS, ...EXPANSION, ...FILES, ...STAGES, ...LINT, ...BASED]
