import { once } from 'node:events'
import type { Session } from '../session.ts'
import { openView } from './files.ts'
import type { PlatformOption } from './inspect.ts'

/** `cat NAME PATH`: prints a file of a stored image, byte for byte. Links are followed inside the image. */
export async function cat(session: Session, name: string, path: string, options: PlatformOption): Promise<void> {
  const view = await openView(session, name, options)
  const { stdout } = session.terminal
  for await (const chunk of view.read(path, { signal: session.signal })) {
    if (!stdout.write(chunk)) await once(stdout, 'drain', { signal: session.signal })
  }
}
