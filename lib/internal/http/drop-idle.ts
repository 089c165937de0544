import type { Socket } from 'node:net'

/** Closes the idle connections of an agent of node:http. */
export function dropIdle(agent: { readonly freeSockets: NodeJS.ReadOnlyDict<Socket[]> }): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}
