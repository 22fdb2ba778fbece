import { isIPv4, isIPv6 } from 'node:net'

type Check = (value: string) => boolean

const dateTime: Check = (value) => /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(value) && !Number.isNaN(Date.parse(value.replace(' ', 'T')))
const base64: Check = (value) => /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)

/** String formats that a CRD's schema can demand; unknown ones pass, as in the real server. */
const formats: Readonly<Record<string, Check>> = {
  'date-time': dateTime,
  datetime: dateTime,
  date: (value) => /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)),
  byte: base64,
  ipv4: isIPv4,
  ipv6: isIPv6,
  uri: (value) => URL.canParse(value),
  hostname: (value) => value.length <= 253 && /^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$/.test(value),
  email: (value) => /^[^@\s]+@[^@\s]+$/.test(value),
  uuid: (value) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(value),
  mac: (value) => /^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$/.test(value),
  cidr: (value) => {
    const [address = '', bits = ''] = value.split('/')
    return /^\d{1,3}$/.test(bits) && ((isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128))
  },
  duration: (value) => /^-?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w))+$/.test(value),
}

export function hasFormat(value: string, format: string): boolean {
  return formats[format]?.(value) ?? true
}
