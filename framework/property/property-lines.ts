import { withCleanNames } from '#store/clean-text.ts'
import { refused, type Intake } from '#store/intake.ts'
import { KnownTexts } from '#tars/codec/known-texts.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { readStatPropMsgHead, writeStatPropMsgHead, type StatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { distribution, parseBuckets, parseValue, policies, type PolicyValue } from './model/policy.ts'

/** What an entry means: a head a value of each policy; below it a bucket of Distr, or another policy. */
export const variants = policies.length
const [bucketOf, otherPolicy] = [0, 1]
const texts = new KnownTexts([...policies, distribution])
const places = new Map<string, number>(policies.map((policy, place) => [policy, place]))
/** Policies of one property in a report. */
const mostPolicies = 32
/** Characters of a value, into which all buckets of a Distr fit. */
const longestValue = 4096

/** Reads a map of StatPropMsgHead and StatPropMsgBody. @param sender its entry @throws Failure TARS_DECODE */
export function readValues(r: Reader, tag: number, intake: Intake, sender: number): void {
  const count = r.beginMap(tag)
  let head = -1
  for (let index = 0; index < count; index++) {
    head = intake.known.take(r, 0, sender, head, shorter)
    if (!r.beginStruct(1)) return r.missing(1)
    const values = r.beginList(0)
    for (let value = 0; value < values; value++) readInfo(r, intake, value < mostPolicies ? head : undefined)
    r.endStruct()
  }
}

/** A StatPropInfo. @param head undefined: it is one too many */
function readInfo(r: Reader, intake: Intake, head: number | undefined): void {
  if (!r.beginStruct(0)) return r.missing(0)
  const [policy, text] = [r.readKnown(0, texts), r.readString(1)]
  r.endStruct()
  if (head === undefined) intake.lines.add(refused('invalid'))
  else addInfo(intake, head, policy, text)
}

function addInfo({ known, lines }: Intake, head: number, policy: string, text: string): void {
  const add = (sense: number, value: PolicyValue, isPart = false): void => {
    for (const number of value) lines.push(number)
    lines.add(sense, isPart)
  }
  const below = (name: string, variant: number): number => known.entry(Buffer.from(name), -1 - head) * variants + variant
  if (policy === '' || text.length > longestValue) return lines.add(refused('invalid'))
  if (policy === distribution) {
    const buckets = parseBuckets(text)
    if (buckets === undefined) return lines.add(refused('invalid'))
    let isPart = false
    for (const [bucket, value] of buckets) {
      add(below(bucket, bucketOf), value, isPart)
      isPart = true
    }
    return
  }
  const value = parseValue(policy, text)
  if (value === undefined || value === 'none') return lines.add(refused(value === 'none' ? 'empty' : 'invalid'))
  const place = places.get(policy)
  add(place === undefined ? below(policy.slice(0, longestPolicy), otherPolicy) : head * variants + place, value)
}

/** Characters by which further policies are told apart; as many of them are kept. */
const longestPolicy = 32

/** What a sense is about. */
export function aboutOf({ known }: Intake, sense: number): { readonly head: Buffer; readonly policy: string; readonly bucket: string } {
  const [entry, variant] = [Math.floor(sense / variants), sense % variants]
  const parent = -1 - known.parentOf(entry)
  if (parent < 0) return { head: known.bytesOf(entry), policy: policies[variant] ?? '', bucket: '' }
  const name = known.bytesOf(entry).toString()
  return { head: known.bytesOf(parent), policy: variant === bucketOf ? distribution : name, bucket: variant === bucketOf ? name : '' }
}

export const headOf = (bytes: Buffer): StatPropMsgHead => readStatPropMsgHead(new Reader(bytes), 0)

/** A head with its names as they are kept. */
function shorter(bytes: Buffer): Buffer {
  const writer = new Writer()
  writeStatPropMsgHead(writer, 0, withCleanNames(headOf(bytes)))
  return writer.bytes()
}
