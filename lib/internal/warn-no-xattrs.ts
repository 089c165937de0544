let warned = false

/**
 * Emits a warning of the process, once, with the code `LAYERSTORE_NO_XATTRS`: extended attributes of files that a
 * command has changed, such as file capabilities, are not kept.
 */
export function warnNoXattrs(): void {
  if (warned) return
  warned = true
  const message =
    'layerstore cannot read extended attributes, such as file capabilities, of files that a command has changed: install perl, python3 or the package fs-xattr'
  process.emitWarning(message, { code: 'LAYERSTORE_NO_XATTRS' })
}
