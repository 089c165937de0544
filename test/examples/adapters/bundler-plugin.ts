import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  fromFiles,
  type PushResult,
  pushImage,
  readImage,
  writeLayer,
} from 'layerstore'

/** Settings of the plugin. */
export interface ImagePluginOptions {
  readonly base: string
  readonly platform: string
  readonly push: string
  readonly onPushed?: (result: PushResult) => void
}

/** The part of a bundle that the plugin reads; chunks and assets of Rolldown, Rollup and Vite have it. */
type Bundle = Record<
  string,
  { readonly type: 'chunk'; readonly code: string } | { type: 'asset'; source: string | Uint8Array }
>

/** A plugin for Rolldown, Rollup and Vite that pushes the output as an image; the base is never downloaded. */
export function image({ base, platform, push, onPushed }: ImagePluginOptions) {
  return {
    name: 'layerstore-image',
    async generateBundle(_options: unknown, bundle: object) {
      const files = Object.entries(bundle as Bundle).map(([file, output]) => [
        `app/${file}`,
        output.type === 'chunk' ? output.code : output.source,
      ])
      await using store = createMemoryStore()
      await using registry = createRegistryClient()
      const layer = await writeLayer(store, fromFiles(Object.fromEntries(files)))
      const composed = await composeImage(store, {
        base: await readImage(registry, base, { platform }),
        layers: [layer],
        config: { WorkingDir: '/app', Cmd: ['node', '/app/main.js'] },
      })
      onPushed?.(await pushImage(store, registry, composed, push))
    },
  }
}
