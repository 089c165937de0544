export { Annotation } from './annotations.ts'
export { type AttachedKind, attachedTag, attachedTagIn } from './attached-tag.ts'
export { type Descriptor, parseDescriptor } from './descriptor.ts'
export {
  assertIndexDepth,
  type BlobRole,
  edgesOf,
  type GraphEdge,
  type GraphNode,
  type GraphReader,
  isDocumentRole,
  roleOf,
  walkGraph,
} from './graph.ts'
export {
  asImageConfig,
  asRunConfig,
  type HistoryEntry,
  type ImageConfig,
  parseConfig,
  platformOfConfig,
  type RunConfig,
} from './image-config.ts'
export {
  type ImageDocument,
  type IndexDocument,
  type ManifestDocument,
  parseImageDocument,
  successorsOf,
} from './image-document.ts'
export { type ImageIndex, parseIndex } from './image-index.ts'
export { type ImageManifest, parseManifest } from './image-manifest.ts'
export { isKnownPlatform } from './known-platform.ts'
export {
  assertLayersAgree,
  findLayerDisagreement,
  isImageManifest,
  type LayerDisagreement,
} from './layer-agreement.ts'
export { Limits } from './limits.ts'
export { mayBeImageDocument } from './may-be-document.ts'
export {
  IMAGE_MEDIA_TYPES,
  isConfigType,
  isEncryptedLayerType,
  isForeignLayerType,
  isIndexType,
  isLayerType,
  isManifestType,
  MediaType,
} from './media-types.ts'
export {
  asPlatform,
  formatPlatform,
  hostPlatform,
  matchPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from './platform.ts'
export {
  asReference,
  familiarName,
  formatReference,
  isRepositoryPath,
  isTag,
  namesRegistry,
  parseReference,
  type Reference,
  type Repository,
} from './reference.ts'
export { referrerEntry, subjectOf } from './referrer-entry.ts'
export { mayStayRemote, remoteLayersOf, withRemoteLayers } from './remote-layers.ts'
