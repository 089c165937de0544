import type { Attack } from './attacks/attack.ts'
import { treeOf } from './attacks/tree-of.ts'
import { unpackCase } from './unpack-case.ts'

/** What came of an attack, in the words of its expectation. */
export interface AttackResult {
  canary: unknown
  refused: string | undefined
  tree: Record<string, string> | undefined
  skipped: string[] | undefined
  left: string[]
}

/** Runs an attack in a new directory that is gone afterwards; gives what came of it beside what had to. */
export async function runAttack(attack: Attack): Promise<{ expected: AttackResult; actual: AttackResult }> {
  using outcome = await unpackCase(attack.layers, attack.options)
  const tree = attack.tree?.(outcome)
  const { error, report } = outcome
  return {
    expected: {
      canary: 'untouched',
      refused: attack.refused,
      tree,
      skipped: attack.refused ? undefined : [...(attack.skipped ?? [])].sort(),
      left: [],
    },
    actual: {
      canary: outcome.canary,
      refused: error && (error.code ?? String(error)),
      tree: error ? undefined : treeOf(outcome.root, tree ?? {}),
      skipped: report?.skipped.map(({ what, path }) => `${what} ${path}`).sort(),
      left: outcome.leftBeside.filter(name => !['outside', 'root-evil'].includes(name)),
    },
  }
}
