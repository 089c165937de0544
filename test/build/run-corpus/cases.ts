import { changes } from './cases/changes.ts'
import { commands } from './cases/commands.ts'
import { mounts } from './cases/mounts.ts'
import { stages } from './cases/stages.ts'
import { variables } from './cases/variables.ts'
import { casesOf, type RunCase } from './run-case.ts'

/** All builds, in their order. */
export const runCorpus: readonly RunCase[] = casesOf([...commands, ...variables, ...changes, ...mounts, ...stages])
