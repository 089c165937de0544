/**
 * Connection of a server to the other servers over the same store, in other processes. Messages are JSON values whose
 * content belongs to the servers; all of them must be of the same version of this library.
 *
 * {@link createProcessPeers} and {@link createPeerRelay} connect the children of one process.
 */
export interface RegistryPeers {
  /**
   * Sends a message to all other servers and resolves to their answers. Rejects if one of them neither answers nor has
   * ended: it may hold what the message asks for.
   */
  ask(message: unknown): Promise<readonly unknown[]>
  /** Sets the function that answers the messages of other servers. Is called once, before the first message. */
  onAsk(answer: (message: unknown) => Promise<unknown>): void
}
