/** A kind of file that holds secrets. */
export interface SecretPlace {
  /** Name of the kind. */
  readonly kind: string
  /** Matches the whole path of such files, without a leading `/`. */
  readonly path: RegExp
  /** Matches content that holds a secret, and not a reference to a variable; absent if the name alone tells. */
  readonly content?: RegExp
}

/** A value that is written out: no variable, no placeholder. */
const VALUE = `["']?(?![$%{<]|["'\\s]|xxx|changeme|example|your)`

function place(kind: string, path: string, content?: RegExp): SecretPlace {
  return { kind, path: new RegExp(`(?:^|/)(?:${path})$`), ...(content && { content }) }
}

/** Words in names of variables whose values are secret. */
export const SECRET_NAME =
  /(?:^|_)(?:SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?KEY)(?:_|$)/i

const SECRET_LINE = new RegExp(
  `^\\s*(?:export\\s+)?\\w*(?:SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)\\w*\\s*=[ \\t]*${VALUE}\\S{4,}`,
  'im',
)

/** Places where secrets are left. The first that matches a path counts. */
export const SECRET_PLACES: readonly SecretPlace[] = [
  place(
    'private key',
    'id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|[^/]+\\.(?:pem|key|ppk|asc)',
    /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-/m,
  ),
  place('key store', '[^/]+\\.(?:p12|pfx|jks|keystore)'),
  place('environment file', '\\.env(?:\\.(?!example|sample|template|dist|defaults)[^/]+)?', SECRET_LINE),
  place('npm token', '\\.npmrc|npmrc', new RegExp(`(?:_authToken|_auth|_password)\\s*=[ \\t]*${VALUE}\\S`)),
  place('yarn token', '\\.yarnrc\\.yml', new RegExp(`npmAuth(?:Token|Ident):[ \\t]*${VALUE}\\S`)),
  place(
    'pip password',
    '\\.pypirc|pip\\.conf',
    new RegExp(`password\\s*[:=][ \\t]*${VALUE}\\S|https?://[^\\s:/@]+:[^\\s@/]+@`),
  ),
  place('netrc password', '[._]netrc', /\bpassword\s+\S/),
  place(
    'git password',
    '\\.git-credentials|\\.git/config|\\.gitconfig',
    /https?:\/\/[^\s:/@]+:[^\s@/$]+@|extraheader\s*=\s*auth/i,
  ),
  place('aws credentials', '\\.aws/credentials|\\.aws/config', /aws_secret_access_key\s*=\s*\S/i),
  place(
    'google credentials',
    '\\.config/gcloud/(?:application_default_credentials\\.json|credentials\\.db|access_tokens\\.db)' +
      '|[^/]*(?:service[-_]?account|credentials|gcp|[-_]key)[^/]*\\.json',
    /"(?:private_key|refresh_token)"\s*:\s*"[^"]|^SQLite format 3/,
  ),
  place('azure token', '\\.azure/(?:accessTokens|msal_token_cache|servicePrincipals)\\.json', /"/),
  place(
    'registry login',
    '\\.docker/config\\.json|\\.dockercfg|containers/auth\\.json',
    /"(?:auth|identitytoken|password)"\s*:\s*"[^"]/,
  ),
  place('kubernetes credentials', '\\.kube/config|[^/]+\\.kubeconfig', /(?:client-key-data|token|password):\s*\S/),
  place('terraform state', '[^/]+\\.tfstate(?:\\.backup)?|\\.terraform\\.d/credentials\\.tfrc\\.json', /"/),
  place('database password', '\\.pgpass|\\.my\\.cnf', /^[^#\s]+:[^:]*:[^:]*:[^:]*:\S|password\s*=\s*\S/m),
  place(
    'package registry token',
    '\\.cargo/credentials(?:\\.toml)?|\\.gem/credentials',
    /token\s*=|:rubygems_api_key:/,
  ),
  place('composer token', '\\.composer/auth\\.json', /"[^"]+"\s*:\s*"[^"]/),
  place('maven password', '\\.m2/settings\\.xml', /<password>(?![${]|<)/),
  place('nuget password', '(?:nuget|NuGet)\\.[Cc]onfig', /(?:ClearText)?Password["']?\s+value\s*=\s*["'][^"'%]/),
  place('password hash', 'etc/shadow-?', /^[^:]+:\$[0-9a-z]+\$/m),
  place('vault token', '\\.vault-token|\\.vault_pass(?:\\.txt)?', /\S/),
]
