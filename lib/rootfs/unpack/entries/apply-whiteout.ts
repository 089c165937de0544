import { readdirSync } from 'node:fs'
import { decodeName } from '../../../internal/name-bytes.ts'
import type { Whiteout } from '../../../layer/index.ts'
import type { DirectoryNode } from '../tree/directory-node.ts'
import { checkNameLength, splitPath } from '../tree/split-path.ts'
import { makeDevice } from './make-device.ts'
import type { LayerMarks } from './mark-collector.ts'
import { childOf, type TreeState } from './tree-state.ts'

/**
 * Removes what a whiteout hides, when it comes among the entries of its layer.
 *
 * SPEC: it hides lower layers only, wherever it stands in its layer (layer.md#whiteouts): what this layer has put there
 * already stays.
 *
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` if entries before it have gone through a link, or linked to a file,
 * that it hides, or if something on the way to it is no directory: its effect is only certain before the first entry.
 */
export function applyWhiteout(state: TreeState, mark: Whiteout): void {
  if (mark.kind === 'ignored') return
  const keeps = state.options.whiteouts === 'overlayfs'
  const way = splitPath(mark.directory, state.options.windowsNames)
  const directory = state.findMarked(way, { make: mark.kind === 'opaque' || keeps })
  if (mark.kind === 'opaque') hideAll(state, way, directory)
  else hideName(state, directory, mark.name)
}

/** Removes what the whiteouts of a layer hide, before its first entry. */
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
 * To be called at the end of a layer. A directory that an opaque mark is in is there, unless the layer has something else in
 * the place of one on the way.
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

/** Takes one name of lower layers away. */
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

/** Takes away everything in a directory that comes from lower layers. */
function purge(state: TreeState, top: DirectoryNode): void {
  const { layer } = state
  const waiting = [top]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    // SAFETY: marks may come any number of times, a directory is gone through once.
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

/** A directory whose entry was in a lower layer is there only because this layer has something in it. */
function forgetLower(node: DirectoryNode, layer: number): void {
  if (node.metadataLayer !== layer) node.metadata = undefined
}

/** Leaves the deletion there for overlayfs, unless this layer has put something in its place. */
function keepMark(state: TreeState, directory: DirectoryNode, name: string): void {
  const child = directory.children.get(name)
  if (child) child.opaque = true
  if (child || directory.has(name, state.layer) || directory.hidden.has(name)) return
  const device = { type: 'character-device', major: 0, minor: 0 } as const
  const refused = state.create(directory, name, path => makeDevice(state.tree.locate(directory), path, device))
  if (refused) throw state.fault('ERR_UNSUPPORTED_ENTRY', `no whiteout device: ${refused}`, childOf(directory, name))
  directory.hidden.add(name)
}
