// Stages base images into a folder and prints the digests of their layers: arguments are the folder and the images' names.
import { argv, execPath } from 'node:process'
import { chooseBaseImage } from '../../base-images/catalog.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { keptLayer } from '../../framework/local/base-image.ts'

const [, , cacheDir = '', ...names] = argv
for (const name of names) {
  const recipe = await chooseBaseImage(name).recipe({ cacheDir, nodeBinary: execPath })
  console.log(`${name} ${(await keptLayer((await stageBase(recipe, { cacheDir })).root)).digest}`)
}
