import { names } from '../names.ts'
import type { TFrameworkConfig } from '../types.ts'
import { invalid, type Problem } from './problem.ts'

/** The settings of a namespace's framework stay as long as the namespace, like its TTree. The reference lets them go. */
export function validateFrameworkDelete({ metadata }: TFrameworkConfig): Problem[] {
  if (metadata.name !== names.framework) return []
  return [{ field: 'metadata.name', message: 'delete tframeworkconfig operation is defined', rule: `${names.framework} says where images go and how much history is kept, and must stay`, remedy: 'change it, or delete the namespace to remove the whole framework' }]
}

/** An image to mount must have a name. Without one tarsnode is not injected, so that the choice of how would say nothing. */
export function validateFramework({ nodeImage }: TFrameworkConfig): Problem[] {
  if (nodeImage?.injection !== 'imageVolume' || nodeImage.image.trim() !== '') return []
  return [invalid('tframeworkconfig', 'nodeImage.image', 'unexpected image value', 'injection imageVolume mounts an image, and none is named', 'name the image, as "tarsk8s base node" prints it, or remove nodeImage: the tarsnode baked into each image then runs')]
}
