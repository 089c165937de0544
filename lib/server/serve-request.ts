import { requireAccess } from './access/require-access.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import { deleteBlob } from './blobs/delete-blob.ts'
import { getBlob } from './blobs/get-blob.ts'
import type { Call } from './call.ts'
import { Fault } from './fault.ts'
import { listCatalog, listTags } from './lists/list-names.ts'
import { deleteManifest } from './manifests/delete-manifest.ts'
import { getManifest } from './manifests/get-manifest.ts'
import { putManifest } from './manifests/put-manifest.ts'
import { listReferrers } from './referrers/list-referrers.ts'
import { parseRoute, type Route } from './route.ts'
import { appendUpload } from './uploads/append-upload.ts'
import { finishUpload } from './uploads/finish-upload.ts'
import { startUpload } from './uploads/start-upload.ts'
import { uploadAnswer } from './uploads/upload-answer.ts'
import type { Upstream } from './upstream/upstream.ts'

type Act<R> = (call: Call, route: R) => Promise<Answer> | Answer
type Acts = { readonly [K in Route['kind']]: Readonly<Record<string, Act<Extract<Route, { kind: K }>>>> }

const ACTS: Acts = {
  base: { GET: () => jsonAnswer(200, {}) },
  catalog: { GET: listCatalog },
  tags: { GET: listTags },
  referrers: { GET: listReferrers },
  manifest: { GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  blob: { GET: getBlob, DELETE: deleteBlob },
  uploads: { POST: startUpload },
  upload: {
    GET: async ({ uploads, client }, route) => uploadAnswer(204, await uploads.find(route, client)),
    PATCH: appendUpload,
    PUT: finishUpload,
    DELETE: async ({ uploads, client }, route) => {
      await (await uploads.find(route, client)).abort()
      return { status: 204 }
    },
  },
}

/** Finds out what a request is about and does it. Throws {@link Fault} and errors of the library. */
export async function serveRequest(call: Call): Promise<Answer> {
  const route = parseRoute(call.path, call.settings.upstream?.registry)
  if (!route) throw new Fault(404, { code: 'UNSUPPORTED', message: 'this registry has no such address' })
  const acts = ACTS[route.kind] as Readonly<Record<string, Act<Route>>>
  const method = call.request.method === 'HEAD' ? 'GET' : (call.request.method ?? '')
  const act = Object.hasOwn(acts, method) ? acts[method] : undefined
  if (!act) {
    const allowed = Object.keys(acts).flatMap(name => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'not done here' }, { Allow: allowed.join(', ') })
  }
  await requireAccess(call, route)
  const namespace = call.upstream && namespaceMeant(call, call.upstream)
  if (call.settings.readOnly && method !== 'GET') {
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'this registry is read-only' }, { Allow: 'GET, HEAD' })
  }
  const adds = method === 'POST' || method === 'PATCH' || method === 'PUT'
  // A client that hears by HEAD that a blob is there will not send it, and names it later.
  const asks = route.kind === 'blob' && call.request.method === 'HEAD'
  const answer = await (call.settings.readOnly || !(adds || asks)
    ? act(call, route)
    : call.pushes.during(() => act(call, route), { isRequired: adds }))
  return namespace === undefined ? answer : { ...answer, headers: { ...answer.headers, 'OCI-Namespace': namespace } }
}

/**
 * SPEC: a mirror is asked for repositories of other registries too; `ns` says which one is meant, and is given back in
 * `OCI-Namespace` (distribution-spec, registry proxying). Some clients say it by that header instead.
 */
function namespaceMeant({ query, request }: Call, upstream: Upstream): string | undefined {
  const header = request.headers['oci-namespace']
  const namespace = query.get('ns') ?? (typeof header === 'string' ? header : undefined)
  if (namespace === undefined || upstream.standsFor(namespace)) return namespace
  throw new Fault(404, { code: 'NAME_UNKNOWN', message: 'this server stands for another registry' })
}
