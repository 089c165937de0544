/** Description of a connection failure, by the code of Node or OpenSSL. */
const REASONS: Readonly<Record<string, (host: string, port: string) => string>> = {
  ENOTFOUND: host => `host ${host} not found (DNS)`,
  EAI_AGAIN: host => `the name server did not answer for host ${host} (EAI_AGAIN)`,
  ECONNREFUSED: (host, port) => `no server listens on ${host} port ${port} (ECONNREFUSED)`,
  EHOSTUNREACH: host => `host ${host} is unreachable (EHOSTUNREACH)`,
  ENETUNREACH: host => `the network of host ${host} is unreachable (ENETUNREACH)`,
  ECONNRESET: host => `${host} closed the connection (ECONNRESET)`,
  EPIPE: host => `${host} closed the connection (EPIPE)`,
  ERR_STREAM_PREMATURE_CLOSE: host => `${host} closed the connection before the answer was complete`,
  ERR_SSL_WRONG_VERSION_NUMBER: host => `${host} does not speak TLS; connect to it by plain http`,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: host => `${host} does not speak TLS; connect to it by plain http`,
  ERR_TLS_CERT_ALTNAME_INVALID: host => `the certificate of ${host} was issued for another host name`,
  CERT_HAS_EXPIRED: host => `the certificate of ${host} has expired (CERT_HAS_EXPIRED)`,
  CERT_NOT_YET_VALID: host => `the certificate of ${host} is not valid yet; is the clock right? (CERT_NOT_YET_VALID)`,
}

/** Codes of OpenSSL for a certificate whose authority is not trusted. */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

/** Says in plain words why the connection to an address failed; names the host and the code of Node or OpenSSL. */
export function connectionFault(url: URL, cause: unknown): string {
  const { code = 'unknown', message } = cause as NodeJS.ErrnoException
  const port = url.port || (url.protocol === 'http:' ? '80' : '443')
  const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined
  if (reason) return reason(url.hostname, port)
  if (UNTRUSTED.includes(code)) return `the certificate of ${url.hostname} is not from a trusted authority (${code})`
  // The message of an expired timer names the phase and the limit.
  if (code === 'ETIMEDOUT' && /^no \w+ within/.test(message)) return `${url.host}: ${message} (ETIMEDOUT)`
  return `no answer from ${url.host} (${code})`
}
