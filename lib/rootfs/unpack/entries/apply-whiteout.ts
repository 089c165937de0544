import { readdirSync } from 'node:fs'
import { decodeName } from '../../../internal/name-bytes.ts'
import type { Whiteout } from '../../../layer/index.ts'
import type { DirectoryNode } from '../tree/directory-node.ts'
import { checkNameLength, splitPath } from '../tree/split-path.ts'
import { makeDevice } from './make-device.ts'
import type { LayerMarks } from './mark-collector.ts'
import { childOf, type TreeState } from './tree-state.ts'

/**
 * Applies a whiteout that comes among the entries of its layer.
 *
 * SPEC: a whiteout hides lower layers only, at any position in its layer (layer.md#whiteouts): entries that this layer
 * has already written stay.
 *
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` if an earlier entry of the layer resolved a link, or linked to a
 * file, that the whiteout hides, or if a component of its path is no directory: the effect of such a whiteout is
 * certain only before the first entry.
 */
export function applyWhiteout(state: TreeState, mark: Whiteout): void {
  if (mark.kind === 'ignored') return
  const keeps = state.options.whiteouts === 'overlayfs'
  const way = splitPath(mark.directory, state.options.windowsNames)
  const directory = state.findMarked(way, { make: mark.kind === 'opaque' || keeps })
  if (mark.kind === 'opaque') hideAll(state, way, directory)
  else hideName(state, directory, mark.name)
}

/** Applies the whiteouts of a layer, before its first entry. */
export function applyMarksFirst(state: TreeState, { marks, own }: LayerMarks): void {
  const keeps = state.options.whiteouts === 'overlayfs'
  for (const mark of marks) {
    const way = splitPath(mark.directory, state.options.windowsNames)
    const directory = state.findLower(way, { own, make: mark.kind === 'hide' && keeps })
    if (mark.kind === 'opaque') hideAll(state, way, directory)
    else hideName(state, directory, mark.name)
  }
}

/**
 * Creates the directories of opaque whiteouts at the end of a layer, unless the layer has another kind of entry in
 * their path.
 */
export function keepMarked(state: TreeState): void {
  for (const path of state.marked) {
    const directory = state.findAfter(path.split('/'))
    if (directory && state.options.whiteouts === 'overlayfs') directory.opaque = true
  }
  state.marked.clear()
}

function hideName(state: TreeState, directory: DirectoryNode | undefined, name: string): void {
  checkNameLength(name)
  if (!directory) return
  hide(state, directory, name)
  if (state.options.whiteouts === 'overlayfs') keepMark(state, directory, name)
}

function hideAll(state: TreeState, way: readonly string[], directory: DirectoryNode | undefined): void {
  state.marked.add(way.join('/'))
  if (!directory) return
  directory.touch(state.layer)
  purge(state, directory)
}

/** Removes one name that lower layers have. */
function hide(state: TreeState, directory: DirectoryNode, name: string): void {
  const { layer } = state
  if (directory.uses(name, layer)) throw state.tooLate(childOf(directory, name))
  if (directory.has(name, layer)) return
  const found = state.tree.look(directory, name)
  if (found.kind === 'absent') return
  if (found.kind === 'directory' && found.node.layer === layer) {
    forgetLower(found.node, layer)
    purge(state, found.node)
    return
  }
  if (found.kind === 'directory' && found.node.usedBelow === layer) throw state.tooLate(childOf(directory, name))
  state.clear(directory, name)
}

/** Removes everything in a directory that comes from lower layers. */
function purge(state: TreeState, top: DirectoryNode): void {
  const { layer } = state
  const waiting = [top]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    // SAFETY: a layer may repeat its whiteouts any number of times, which would take quadratic time; each directory is
    // walked once per layer.
    if (node.purgedBy === layer) continue
    node.purgedBy = layer
    for (const raw of readdirSync(state.tree.locate(node), { encoding: 'buffer' })) {
      const name = decodeName(raw)
      const child = node.children.get(name)
      if (child?.layer !== layer || node.uses(name, layer)) hide(state, node, name)
      else {
        forgetLower(child, layer)
        waiting.push(child)
      }
    }
  }
}

/** Makes a directory implicit whose entry was in a lower layer: only the children of this layer keep it. */
function forgetLower(node: DirectoryNode, layer: number): void {
  if (node.metadataLayer !== layer) node.metadata = undefined
}

/** Writes the whiteout as an overlayfs device, unless this layer has an entry under that name. */
function keepMark(state: TreeState, directory: DirectoryNode, name: string): void {
  const child = directory.children.get(name)
  if (child) child.opaque = true
  if (child || directory.has(name, state.layer) || directory.hidden.has(name)) return
  const device = { type: 'character-device', major: 0, minor: 0 } as const
  const refused = state.create(directory, name, path => makeDevice(state.tree.locate(directory), path, device))
  if (refused) throw state.fault('ERR_UNSUPPORTED_ENTRY', `no whiteout device: ${refused}`, childOf(directory, name))
  directory.hidden.add(name)
}
