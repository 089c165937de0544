// #region assemble
import {
  composeImage,
  createRegistryClient,
  fromDirectory,
  fromFiles,
  type Image,
  openStore,
  openUnionView,
  pullImage,
  pushImage,
  readImage,
  type Store,
  saveArchive,
  writeLayer,
} from 'layerstore'

/** Puts a Node project on a base image: what changes rarely goes into the lower layers. */
export async function assemble(store: Store, project: string, base: string): Promise<Image> {
  const dependencies = await writeLayer(store, fromDirectory(`${project}/node_modules`, { at: '/app/node_modules' }))
  const code = await writeLayer(store, fromDirectory(`${project}/dist`, { at: '/app', ignore: ['**/*.map'] }))
  const settings = await writeLayer(store, fromFiles({ 'app/settings.json': JSON.stringify({ port: 8080 }) }))
  const image = await composeImage(store, {
    base: await readImage(store, base),
    layers: [dependencies, code, settings],
    config: { WorkingDir: '/app', Env: ['NODE_ENV=production'], Cmd: ['node', 'server.js'] },
    annotations: { 'org.opencontainers.image.title': 'app' },
  })
  await store.references.set('app:1.0', image.descriptor)
  return image
}
// #endregion

// #region inspect
/** Lists a directory of an image without unpacking it. */
export async function listDirectory(store: Store, image: Image, path: string) {
  const view = await openUnionView(store, image)
  return view.list(path).map(entry => `${entry.type} ${entry.path}`)
}
// #endregion

// #region deliver
/** Pulls the base, assembles the image, pushes it, and writes a file for `docker load`. */
export async function deliver(project: string, base: string, target: string, file: string) {
  await using store = await openStore('./images')
  await using registry = createRegistryClient()
  await pullImage(registry, store, base, { name: 'base', platform: 'linux/amd64' })
  const image = await assemble(store, project, 'base')
  const { digest } = await pushImage(store, registry, 'app:1.0', target)
  await saveArchive(store, 'app:1.0', file, { format: 'docker' })
  return { image, digest }
}
// #endregion
