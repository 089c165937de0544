// #region pull
import { pullImage, type RegistryClient, type Store } from 'layerstore'
import { loadPolicy } from 'layerstore/trust'

/** Pulls an image if the policy allows it; the digest is the one that was verified. */
export async function pullTrusted(registry: RegistryClient, store: Store, reference: string, policyFile: string) {
  const { verify } = await loadPolicy(policyFile)
  const { digest } = await pullImage(registry, store, reference, { verify })
  return digest
}
// #endregion
