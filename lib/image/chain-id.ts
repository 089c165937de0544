import { type Digest, digestOf } from '../digest/index.ts'

/**
 * The chain ids of a stack of layers, lowest first. A chain id identifies the stack up to a layer, whatever the
 * compression.
 *
 * SPEC: ChainID(L0) = diffId(L0); ChainID(Ln) = sha256(ChainID(Ln-1) + " " + diffId(Ln)).
 *
 * @see
 * {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid | image-spec: layer chainID}
 */
export async function chainIds(diffIds: readonly Digest[]): Promise<Digest[]> {
  const chain: Digest[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below === undefined ? diffId : await digestOf(Buffer.from(`${below} ${diffId}`), { hasher: 'native' }))
  }
  return chain
}

/** The chain id of a whole stack, or `undefined` for an image without layers. */
export async function chainId(diffIds: readonly Digest[]): Promise<Digest | undefined> {
  return (await chainIds(diffIds)).at(-1)
}
