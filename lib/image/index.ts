export { chainId, chainIds } from './chain-id.ts'
export {
  type Artifact,
  type ArtifactContent,
  type ArtifactLayer,
  type ComposeArtifactOptions,
  composeArtifact,
} from './compose-artifact.ts'
export { composeConfig, defaultCreated, mergeRunConfig } from './compose-config.ts'
export type { ComposeConfigInput, ComposedLayer } from './compose-config-input.ts'
export { type ComposeImageOptions, composeImage, type NewLayer } from './compose-image.ts'
export {
  type ComposedIndex,
  type ComposeIndexOptions,
  composeIndex,
  type IndexedImage,
  type StoredImage,
} from './compose-index.ts'
export { type ComposeManifestInput, composeManifest } from './compose-manifest.ts'
export { type ConvertImageOptions, convertImage } from './edit/convert-image.ts'
export type { DocumentFamily } from './edit/document-family.ts'
export { type ConfigEdits, editConfig, type RunConfigMember } from './edit/edit-config.ts'
export { type EditImageOptions, editImage } from './edit/edit-image.ts'
export { type RecomposeOptions, recomposeImage } from './edit/recompose-image.ts'
export { type ArtifactBlob, type OpenedArtifact, readArtifact } from './read-artifact.ts'
export {
  findDescriptor,
  type Image,
  type ImageLayer,
  type NamedBlobs,
  type ReadImageOptions,
  readImage,
  readImageDocument,
} from './read-image.ts'
export { type RebaseImageOptions, rebaseImage } from './rebase-image.ts'
export type { RegistryReader } from './registry-reader.ts'
export { platformsOf, selectPlatform } from './select-platform.ts'
