import { readdirSync } from 'node:fs'
import type { RootfsError } from '../../../errors/index.ts'
import { decodeName } from '../../../internal/name-bytes.ts'
import type { Whiteout } from '../../../layer/index.ts'
import type { DirectoryNode } from '../tree/directory-node.ts'
import { makeDevice } from './make-device.ts'
import { childOf, type TreeState } from './tree-state.ts'

/**
 * Removes what a whiteout hides.
 *
 * SPEC: it hides lower layers only, wherever it stands in its layer (layer.md#whiteouts): what this layer has put there
 * already stays.
 *
 * @param way - Components of the directory that the mark is in.
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` if entries before it have already gone through a link, or linked to
 * a file, that it hides: what they did could not have been done in the right order.
 */
export function applyWhiteout(state: TreeState, way: readonly string[], mark: Whiteout): void {
  if (mark.kind === 'opaque') hideAll(state, way)
  else if (mark.kind === 'hide') hideName(state, way, mark.name)
}

function hideName(state: TreeState, way: readonly string[], name: string): void {
  const directory = state.findMarked(way, { make: state.options.whiteouts === 'overlayfs' })
  if (!directory) return
  hide(state, directory, name)
  if (state.options.whiteouts === 'overlayfs') keepMark(state, directory, name)
}

function hideAll(state: TreeState, way: readonly string[]): void {
  state.marked.add(way.join('/'))
  const directory = state.findMarked(way, { make: true })
  if (!directory) return
  directory.touch(state.layer)
  purge(state, directory)
  directory.opaque = state.options.whiteouts === 'overlayfs'
}

/**
 * To be called at the end of a layer. A directory that an opaque mark is in is there, even if the layer had something else
 * in the place of one on the way when the mark came.
 */
export function keepMarked(state: TreeState): void {
  for (const path of state.marked) state.findMarked(path.split('/'), { make: true })
  state.marked.clear()
}

/** Takes one name of lower layers away. */
function hide(state: TreeState, directory: DirectoryNode, name: string): void {
  const { layer } = state
  if (directory.uses(name, layer)) throw tooLate(state, directory, name)
  if (directory.has(name, layer)) return
  const found = state.tree.look(directory, name)
  if (found.kind === 'absent') return
  if (found.kind === 'directory' && found.node.layer === layer) {
    forgetLower(found.node, layer)
    purge(state, found.node)
    return
  }
  if (found.kind === 'directory' && found.node.usedBelow === layer) throw tooLate(state, directory, name)
  state.clear(directory, name)
}

function tooLate(state: TreeState, directory: DirectoryNode, name: string): RootfsError {
  const message = 'a whiteout comes after entries that need what it hides'
  return state.fault('ERR_INVALID_WHITEOUT', message, childOf(directory, name))
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
