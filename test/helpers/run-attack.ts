import type { Attack } from './attacks/attack.ts'
import { treeOf } from './attacks/tree-of.ts'
import { unpackCase } from './unpack-case.ts'

/** Result of an attack, in the form of its expectation. */
export interface AttackResult {
  canary: unknown
  refused: string | undefined
  tree: Record<string, string> | undefined
  skipped: string[] | undefined
  left: string[]
}

const isRoot = process.geteuid?.() === 0

/** Runs an attack in a temporary directory. Resolves to the expected and the actual result. */
export async function runAttack(attack: Attack): Promise<{ expected: AttackResult; actual: AttackResult }> {
  using outcome = await unpackCase(attack.layers, attack.options)
  const { error, report } = outcome
  // Without root a case for root only shows that nothing outside was changed; owners are not applied then.
  const isShown = isRoot || !attack.needsRoot
  const tree = isShown ? attack.tree?.(outcome) : undefined
  const skipped = report?.skipped.filter(({ what }) => isRoot || what !== 'owner')
  return {
    expected: {
      canary: 'untouched',
      refused: isShown ? attack.refused : undefined,
      tree,
      skipped: attack.refused || !isShown ? undefined : [...(attack.skipped ?? [])].sort(),
      left: [],
    },
    actual: {
      canary: outcome.canary,
      refused: isShown ? error && (error.code ?? String(error)) : undefined,
      tree: error || !isShown ? undefined : treeOf(outcome.root, tree ?? {}),
      skipped: isShown ? skipped?.map(({ what, path }) => `${what} ${path}`).sort() : undefined,
      left: outcome.leftBeside.filter(name => !['outside', 'root-evil'].includes(name)),
    },
  }
}
