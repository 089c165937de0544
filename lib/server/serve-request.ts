import { requireAccess } from './access/require-access.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import { serveBlobDelete } from './blobs/delete-blob.ts'
import { getBlob } from './blobs/get-blob.ts'
import type { Call } from './call.ts'
import { Fault } from './fault.ts'
import { listCatalog, serveTagList } from './lists/list-names.ts'
import { serveManifestDelete } from './manifests/delete-manifest.ts'
import { getManifest } from './manifests/get-manifest.ts'
import { serveManifestPut } from './manifests/put-manifest.ts'
import { answerPage, isPagePath } from './pages.ts'
import { serveReferrers } from './referrers/list-referrers.ts'
import { parseRoute, type Route } from './route.ts'
import { appendUpload } from './uploads/append-upload.ts'
import { finishUpload } from './uploads/finish-upload.ts'
import { serveUploadStart } from './uploads/start-upload.ts'
import { uploadAnswer } from './uploads/upload-answer.ts'
import type { Upstream } from './upstream/upstream.ts'

type Act<R> = (call: Call, route: R) => Promise<Answer> | Answer
type Acts = { readonly [K in Route['kind']]: Readonly<Record<string, Act<Extract<Route, { kind: K }>>>> }

const ACTS: Acts = {
  base: { GET: () => jsonAnswer(200, {}) },
  catalog: { GET: listCatalog },
  tags: { GET: serveTagList },
  referrers: { GET: serveReferrers },
  manifest: { GET: getManifest, PUT: serveManifestPut, DELETE: serveManifestDelete },
  blob: { GET: getBlob, DELETE: serveBlobDelete },
  uploads: { POST: serveUploadStart },
  upload: {
    GET: async ({ uploads, client }, route) => uploadAnswer(204, await uploads.position(route, client)),
    PATCH: appendUpload,
    PUT: finishUpload,
    DELETE: async ({ uploads, client }, route) => {
      await uploads.drop(route, client)
      return { status: 204 }
    },
  },
}

/** Routes a request, checks access, and calls its handler. Throws {@link Fault} and errors of the library. */
export async function serveRequest(call: Call): Promise<Answer> {
  const { pages } = call.settings
  if (pages && isPagePath(call.path)) return answerPage(call, pages)
  const route = parseRoute(call.path, call.settings.upstream?.registry)
  if (!route) throw new Fault(404, { code: 'UNSUPPORTED', message: 'no such endpoint' })
  const acts = ACTS[route.kind] as Readonly<Record<string, Act<Route>>>
  const method = call.request.method === 'HEAD' ? 'GET' : (call.request.method ?? '')
  const act = Object.hasOwn(acts, method) ? acts[method] : undefined
  if (!act) {
    const allowed = Object.keys(acts).flatMap(name => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
    throw new Fault(
      405,
      { code: 'UNSUPPORTED', message: 'method not supported by this endpoint; see Allow' },
      { Allow: allowed.join(', ') },
    )
  }
  await requireAccess(call, route)
  const namespace = call.upstream && requestedNamespace(call, call.upstream)
  if (call.settings.readOnly && method !== 'GET') {
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'this registry is read-only' }, { Allow: 'GET, HEAD' })
  }
  const adds = method === 'POST' || method === 'PATCH' || method === 'PUT'
  // A client that learns by HEAD that a blob exists does not upload it, and refers to it later: so HEAD counts as part
  // of a push.
  const asks = route.kind === 'blob' && call.request.method === 'HEAD'
  const answer = await (call.settings.readOnly || !(adds || asks)
    ? act(call, route)
    : call.pushes.during(() => act(call, route), { isRequired: adds }))
  return namespace === undefined ? answer : { ...answer, headers: { ...answer.headers, 'OCI-Namespace': namespace } }
}

/**
 * The registry that a client of a mirror asks for.
 *
 * SPEC: the `ns` parameter names it, and the answer repeats it in `OCI-Namespace` (distribution-spec, registry
 * proxying). A request header `OCI-Namespace` is accepted, too.
 */
function requestedNamespace({ query, request }: Call, upstream: Upstream): string | undefined {
  const header = request.headers['oci-namespace']
  const namespace = query.get('ns') ?? (typeof header === 'string' ? header : undefined)
  if (namespace === undefined || upstream.mirrors(namespace)) return namespace
  throw new Fault(404, { code: 'NAME_UNKNOWN', message: 'this server mirrors another registry' })
}
