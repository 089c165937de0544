import type { EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { Evaluated, RawFinding } from '../rule.ts'
import { dependenciesAfterSources } from './dependencies-after-sources.ts'
import { joinableRuns } from './joinable-runs.ts'
import { packageCaches } from './package-caches.ts'
import { runsAsRoot } from './runs-as-root.ts'
import { secretsInFiles, secretsInValues } from './secrets.ts'
import { unpinnedImages } from './unpinned-images.ts'

/** Rules of our own. Those about the size of layers look only at the stages whose layers the target has. */
export function adviceRules(evaluated: Evaluated): RawFinding[] {
  const shipped = shippedStages(evaluated)
  return [
    ...evaluated.evaluated.flatMap(stage => [
      ...dependenciesAfterSources(stage),
      ...unpinnedImages(stage),
      ...secretsInValues(stage),
      ...secretsInFiles(stage),
    ]),
    ...shipped.flatMap(stage => [...packageCaches(stage), ...joinableRuns(stage)]),
    ...runsAsRoot(shipped),
  ]
}

/** The target and the stages that it is based on, the target first. */
function shippedStages({ evaluated, target }: Evaluated): EvaluatedStage[] {
  const byStage = new Map(evaluated.map(stage => [stage.stage, stage]))
  const chain: EvaluatedStage[] = []
  for (let stage = byStage.get(target); stage; stage = stage.stage.baseStage && byStage.get(stage.stage.baseStage)) {
    chain.push(stage)
  }
  return chain
}
