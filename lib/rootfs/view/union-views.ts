import type { AbortOptions } from '../../internal/abort.ts'
import type { UnionView, ViewLayer } from '../union-view.ts'
import { stackView, type ViewStore } from './open-union-view.ts'
import type { StackedView } from './stacked-view.ts'

/** Views that are kept; they share what their layers share. */
const MOST_VIEWS = 128

/**
 * Opens views of many stacks of one store, such as those of the steps of a build. A stack that begins with the layers
 * of an earlier one reads the index of the further ones only, and shares the rest of the tree with it.
 *
 * @internal
 */
export class UnionViews {
  readonly #store: ViewStore
  readonly #views = new Map<string, Promise<StackedView>>()

  constructor(store: ViewStore) {
    this.#store = store
  }

  /**
   * Opens the view of layers, lowest first. What failed or was aborted is opened again by the next call.
   *
   * @throws As {@link openUnionView}.
   */
  async open(layers: readonly ViewLayer[], { signal }: AbortOptions = {}): Promise<UnionView> {
    const key = keyOf(layers)
    const known = this.#views.get(key)
    if (known) return known
    const opening = this.#open(layers, signal)
    this.#views.set(key, opening)
    opening.catch(() => this.#views.delete(key))
    const [oldest = ''] = this.#views.keys()
    if (this.#views.size > MOST_VIEWS) this.#views.delete(oldest)
    return opening
  }

  async #open(layers: readonly ViewLayer[], signal: AbortSignal | undefined): Promise<StackedView> {
    for (let count = layers.length - 1; count > 0; count--) {
      const known = this.#views.get(keyOf(layers.slice(0, count)))
      // Another call's view: it may have been aborted.
      const below = await known?.catch(() => undefined)
      if (below) return stackView(this.#store, layers, { signal }, below)
    }
    return stackView(this.#store, layers, { signal })
  }
}

function keyOf(layers: readonly ViewLayer[]): string {
  return layers.map(({ diffId }) => diffId).join(' ')
}
