import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { Failure } from '#base/errors.ts'
import type { Login } from './logins.ts'

/** What the agent asks of the node's container runtime (Kubernetes' CRI, runtime.v1.ImageService). */
export interface ImageService {
  has(image: string): Promise<boolean>
  /** Resolves when the image is there. */
  pull(image: string, login: Login | undefined, signal: AbortSignal): Promise<void>
  close(): void
}

const askMs = 10_000
/** A pull that takes longer is begun again, and goes on with the layers that are there. */
const pullMs = 20 * 60_000

/** @param socket path of the runtime's socket, e.g. /run/containerd/containerd.sock */
export function connectImageService(socket: string): ImageService {
  const client = new Client(`unix://${socket}`, credentials.createInsecure())
  const call = (method: string, request: Buffer, timeoutMs: number, signal?: AbortSignal): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + timeoutMs
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        signal?.removeEventListener('abort', cancel)
        if (error === null) resolve(answer ?? Buffer.alloc(0))
        else reject(new Failure('IMAGE_SERVICE', `the container runtime refused ${method}: ${error.details}`, { cause: error, temporary: true, context: { socket } }))
      }
      const running = client.makeUnaryRequest(`/runtime.v1.ImageService/${method}`, (bytes: Buffer) => bytes, (bytes: Buffer) => bytes, request, new Metadata(), { deadline }, done)
      const cancel = (): void => running.cancel()
      signal?.addEventListener('abort', cancel, { once: true })
    })
  return {
    // Field 1 of the answer is the image, and absent when there is none.
    has: async (image) => (await call('ImageStatus', field(1, field(1, image)), askMs))[0] === tagOf(1),
    pull: async (image, login, signal) => {
      const auth = login === undefined ? [] : [field(2, Buffer.concat([field(1, login.username), field(2, login.password)]))]
      await call('PullImage', Buffer.concat([field(1, field(1, image)), ...auth]), pullMs, signal)
    },
    close: () => client.close(),
  }
}

/** Protobuf's tag of a field that has a length. */
const tagOf = (number: number): number => (number << 3) | 2

/** A field of a protobuf message that is text or a message itself: all that these requests need. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  const length: number[] = []
  let rest = bytes.length
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([tagOf(number), ...length, rest]), bytes])
}
