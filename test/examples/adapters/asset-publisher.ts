import { type Credential, createMemoryStore, createRegistryClient, loadArchive, pushImage } from 'layerstore'

/** Settings of a publisher of assets, as a deployment tool (CDK, Pulumi) has them. */
export interface PublishOptions {
  /** Called for each registry, and again when a token has expired. */
  readonly credentials?: (registry: string) => Promise<Credential | undefined>
  readonly signal?: AbortSignal
}

/**
 * Publishes an asset: the file of `docker save`, or an OCI layout in a tar, goes to a registry, and the reference with
 * its digest comes back for the template. Nothing is printed, and no docker is needed.
 */
export async function publishAsset(file: string, repository: string, options: PublishOptions = {}): Promise<string> {
  const { credentials, signal } = options
  await using store = createMemoryStore()
  await using registry = createRegistryClient(credentials ? { credentials } : {})
  const [image] = await loadArchive(store, file, { name: 'asset', signal })
  const { digest } = image!.descriptor
  await pushImage(store, registry, image!, `${repository}:${digest.slice('sha256:'.length, 19)}`, { signal })
  return `${repository}@${digest}`
}
