import { parseReference, type Reference } from '../../../oci/index.ts'
import type { Instruction } from '../../document/document.ts'
import type { EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { RawFinding } from '../rule.ts'
import { ownFinding } from './advice.ts'

/** Images of FROM and `--from` that may be another tomorrow: `latest` or no tag, or a tag without digest. */
export function unpinnedImages({ stage, baseData, evaluated }: EvaluatedStage): RawFinding[] {
  const base = 'reference' in baseData ? unpinned(baseData.reference, stage.from) : []
  const copied = evaluated.flatMap(({ instruction, step }) =>
    step?.kind === 'copy' && 'reference' in step.from ? unpinned(step.from.reference, instruction) : [],
  )
  return [...base, ...copied]
}

function unpinned(text: string, owner: Instruction): RawFinding[] {
  const reference = readReference(text)
  if (!reference || reference.digest !== undefined) return []
  if (reference.tag === 'latest') {
    const message = `${text} is whatever was pushed last`
    return [ownFinding('LatestTag', 'warning', owner, message, 'name a version, such as :1.2')]
  }
  const message = `${text} has no digest: the tag can be moved`
  return [ownFinding('UnpinnedImage', 'advice', owner, message, `pin it: ${text}@sha256:…`)]
}

function readReference(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}
