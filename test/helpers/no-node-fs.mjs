// Given to Node with --import: an import of node:fs by the package, or of a package other than tar-stream, is an error.
import { register } from 'node:module'

const hook = `
  export async function resolve(spec, context, next) {
    const isOurs = /\\/dist\\/[^?]*\\.js$/.test(context.parentURL ?? '')
    if (isOurs && /^(node:)?fs(\\/promises)?$/.test(spec)) throw new Error('imported by ' + context.parentURL + ': ' + spec)
    return next(spec, context)
  }`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
