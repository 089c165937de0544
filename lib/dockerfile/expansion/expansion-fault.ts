/** A text that cannot be expanded. The caller knows the place and makes a `DockerfileError` of it. */
export class ExpansionFault extends Error {}
