/**
 * A file, or several that are only counted.
 *
 * @typedef {object} FileNode
 * @property {string} name
 * @property {number} bytes
 * @property {number} layer
 * @property {boolean} hidden
 * @property {number} count - Number of files; more than 1 only for files that are counted together.
 * @property {boolean} grouped
 * @property {DirectoryNode} parent
 * @property {number} weight - Bytes that the current filter shows.
 */

/**
 * @typedef {object} DirectoryNode
 * @property {string} name
 * @property {DirectoryNode[]} directories
 * @property {FileNode[]} files
 * @property {DirectoryNode | undefined} parent
 * @property {number} weight - Bytes that the current filter shows.
 * @property {number} count - Files that the current filter shows.
 */

/** @typedef {DirectoryNode | FileNode} TreeNode */
/** @typedef {{ layer: number | undefined, show: 'all' | 'visible' | 'hidden' }} TreeFilter */

/**
 * Unpacks the tree of a page.
 *
 * @param {import('../pack-tree.ts').PackedDirectory} packed
 * @param {DirectoryNode} [parent]
 * @returns {DirectoryNode}
 */
export function unpackTree([name, names, sizes, marks, directories, grouped = []], parent) {
  /** @type {DirectoryNode} */
  const node = { name, directories: [], files: [], parent, weight: 0, count: 0 }
  const add = (/** @type {string} */ file, /** @type {number} */ mark, /** @type {number} */ bytes, count = 0) => {
    const place = { layer: mark >> 1, hidden: mark % 2 === 1, parent: node, weight: 0 }
    node.files.push({ name: file, bytes, count: count || 1, grouped: count > 0, ...place })
  }
  if (sizes.length > 0) {
    const all = names.split('/')
    for (let i = 0; i < sizes.length; i++)
      add(all[i] ?? '', typeof marks === 'number' ? marks : (marks[i] ?? 0), sizes[i] ?? 0)
  }
  for (const [mark, count, bytes] of grouped)
    add(count === 1 ? '1 small file' : `${count} small files`, mark, bytes, count)
  for (const directory of directories) node.directories.push(unpackTree(directory, node))
  return node
}

/**
 * Sums up what a filter shows.
 *
 * @param {DirectoryNode} node
 * @param {TreeFilter} filter
 */
export function weigh(node, filter) {
  node.weight = 0
  node.count = 0
  for (const directory of node.directories) {
    weigh(directory, filter)
    node.weight += directory.weight
    node.count += directory.count
  }
  for (const file of node.files) {
    const isShown = passes(file, filter)
    file.weight = isShown ? file.bytes : 0
    node.weight += file.weight
    if (isShown) node.count += file.count
  }
}

/**
 * @param {FileNode} file
 * @param {TreeFilter} filter
 */
export function passes({ layer, hidden }, filter) {
  return (
    (filter.layer === undefined || filter.layer === layer) &&
    (filter.show === 'all' || hidden === (filter.show === 'hidden'))
  )
}

/**
 * @param {TreeNode} node
 * @returns {node is DirectoryNode}
 */
export function isDirectory(node) {
  return 'directories' in node
}

/**
 * Path of a node, with a leading slash.
 *
 * @param {TreeNode} node
 */
export function pathOf(node) {
  const parts = []
  for (let at = /** @type {TreeNode | undefined} */ (node); at?.parent; at = at.parent) parts.unshift(at.name)
  return `/${parts.join('/')}`
}

/**
 * Files of which the path holds a text, largest first.
 *
 * @param {DirectoryNode} root
 * @param {string} text
 * @param {TreeFilter} filter
 */
export function findFiles(root, text, filter) {
  const wanted = text.toLowerCase()
  /** @type {FileNode[]} */
  const found = []
  const visit = (/** @type {DirectoryNode} */ node, /** @type {string} */ path) => {
    for (const file of node.files) {
      if (!file.grouped && passes(file, filter) && `${path}/${file.name}`.toLowerCase().includes(wanted))
        found.push(file)
    }
    for (const directory of node.directories) visit(directory, `${path}/${directory.name}`)
  }
  visit(root, '')
  return found.sort((a, b) => b.bytes - a.bytes)
}
