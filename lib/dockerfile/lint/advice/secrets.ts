import { posix } from 'node:path'
import type { EvaluatedInstruction, EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { RawFinding } from '../rule.ts'
import { ownFinding } from './advice.ts'

/** Forms that well-known services give to their secrets. */
const SECRET_VALUE =
  /\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}|\bnpm_[A-Za-z0-9]{36}|\bxox[abprs]-[\w-]{10}|\bsk_live_\w{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^\s/:@$]+:[^\s/@$]{3,}@/

/** Values of ENV, ARG and LABEL that look like a secret. The value is never shown. */
export function secretsInValues({ evaluated }: EvaluatedStage): RawFinding[] {
  return evaluated.flatMap(({ instruction, step }) => {
    const isValue = ['ARG', 'ENV', 'LABEL'].includes(instruction.name)
    if (!isValue || !SECRET_VALUE.test(step?.text ?? '')) return []
    const message = `a value of ${instruction.name} looks like a secret, and can be read in the image`
    return [ownFinding('SecretInValue', 'warning', instruction, message, 'use RUN --mount=type=secret')]
  })
}

const SECRET_FILE =
  /^(?:\.env(?:\..+)?|\.npmrc|\.netrc|\.git-credentials|\.htpasswd|\.pypirc|id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:key|p12|pfx|jks)|credentials)$/
/** Names that look like one of these, but hold no secret. */
const NO_SECRET_FILE = /^\.env\.(?:example|sample|template|dist)$|\.pub$/

/** Files with secrets that COPY and ADD put into a layer. */
export function secretsInFiles({ evaluated }: EvaluatedStage): RawFinding[] {
  return evaluated.flatMap(({ instruction, step }: EvaluatedInstruction) => {
    if (step?.kind !== 'copy' || !('context' in step.from)) return []
    return step.sources
      .filter(source => isSecretFile(source))
      .map(source => {
        const hint = 'mount it in the RUN that needs it: --mount=type=secret'
        return ownFinding('SecretCopied', 'warning', instruction, `${source} seems to hold a secret`, hint)
      })
  })
}

function isSecretFile(source: string): boolean {
  const name = posix.basename(source)
  return SECRET_FILE.test(name) && !NO_SECRET_FILE.test(name)
}
