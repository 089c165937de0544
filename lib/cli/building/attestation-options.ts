import type { BuildAttestations, ProvenanceOptions } from '../../build/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { BuildCommandOptions } from './build-options.ts'

const OFF = /^(?:0|f|false|disabled=true)$/i
const ON = /^(?:1|t|true|disabled=false)$/i

/**
 * Statements of `--provenance[=mode=min|max[,builder-id=URI]]` and `--sbom`, with the spellings of docker; `undefined`
 * without any.
 *
 * @param about - What a provenance states of the build.
 */
export function attestationsOf(
  { provenance = false, sbom = false }: BuildCommandOptions,
  about: Pick<ProvenanceOptions, 'buildArgs' | 'target'>,
): BuildAttestations | undefined {
  const wanted = provenanceOf(provenance)
  if (sbom !== false && sbom !== true && !OFF.test(sbom) && !ON.test(sbom)) {
    throw new UsageError(
      `--sbom is true or false, not ${JSON.stringify(sbom)}: packages are listed here, by no generator`,
    )
  }
  const hasSbom = sbom === true || (sbom !== false && ON.test(sbom))
  if (!wanted && !hasSbom) return undefined
  return { ...(wanted ? { provenance: { ...about, ...wanted } } : {}), ...(hasSbom ? { sbom: true } : {}) }
}

function provenanceOf(value: string | boolean): Pick<ProvenanceOptions, 'mode' | 'builderId'> | undefined {
  if (value === false || (value !== true && OFF.test(value))) return undefined
  if (value === true || ON.test(value)) return {}
  let wanted: Pick<ProvenanceOptions, 'mode' | 'builderId'> = {}
  for (const part of value.split(',')) {
    const [name, ...rest] = part.split('=')
    const text = rest.join('=')
    if (name === 'mode' && (text === 'min' || text === 'max')) wanted = { ...wanted, mode: text }
    else if (name === 'builder-id' && text) wanted = { ...wanted, builderId: text }
    else if (name === 'version' && text === 'v1') continue
    else if (part === 'min' || part === 'max') wanted = { ...wanted, mode: part }
    else {
      const hint = 'before the context write --provenance=true'
      throw new UsageError(`--provenance takes mode=min|max and builder-id=URI, not ${JSON.stringify(part)}; ${hint}`)
    }
  }
  return wanted
}
