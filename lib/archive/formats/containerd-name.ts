/** The annotation in which containerd, docker and BuildKit write the full name of an image. */
export const ContainerdName = 'io.containerd.image.name'
