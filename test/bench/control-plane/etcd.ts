// What the API server stores, by etcd's JSON gateway (etcd v3 API, "gRPC gateway").

/** A key and the bytes stored under it; in both, each character stands for a byte. */
export interface Stored {
  readonly key: string
  readonly value: string
}

const encode = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const decode = (text = ''): string => Buffer.from(text, 'base64').toString('latin1')

/** As many puts as etcd takes in one transaction by default. */
const mostPuts = 128

async function call(url: string, method: string, body: object): Promise<{ readonly kvs?: readonly { readonly key: string; readonly value?: string }[] }> {
  const answer = await fetch(`${url}/v3/kv/${method}`, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`etcd refused ${method}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Awaited<ReturnType<typeof call>>
}

/** All that is stored for objects of which the key ends so. */
export async function read(url: string, isWanted: (key: string) => boolean): Promise<Stored[]> {
  const { kvs = [] } = await call(url, 'range', { key: encode('/registry/'), range_end: encode('/registry0') })
  return kvs.map(({ key, value }) => ({ key: decode(key), value: decode(value) })).filter(({ key }) => isWanted(key))
}

/** Stores in batches, one after the other. */
export async function write(url: string, entries: Iterable<Stored>): Promise<void> {
  let batch: object[] = []
  const flush = async (): Promise<void> => {
    await call(url, 'txn', { success: batch })
    batch = []
  }
  for (const { key, value } of entries) {
    batch.push({ request_put: { key: encode(key), value: encode(value) } })
    if (batch.length === mostPuts) await flush()
  }
  if (batch.length > 0) await flush()
}
