import { describe, expect, test } from 'vitest'
import { currentRelease, usualBase } from '#api/base-image.ts'
import type { TImage } from '#api/types.ts'

const release = (id: string, createTime = '2024-01-01T00:00:00Z') => ({ id, image: `r.test/${id}`, createTime })
const base = (name: string, supportedType: TImage['supportedType'], releases = [release(name)], more: Partial<TImage> = {}) =>
  ({ apiVersion: 'k8s.tars.io/v1beta3', kind: 'TImage', metadata: { name }, imageType: 'base', supportedType, releases, ...more }) as TImage

describe('the base of a type when none is named', () => {
  test.each([
    ['the usual one, whatever comes before it', 'nodejs', [base('nodejs22base', ['nodejs'], [release('nodejs22base', '2025-01-01T00:00:00Z')]), base('nodejsbase', ['nodejs']), base('a', ['nodejs'])], 'nodejsbase'],
    ['the usual one of a type that several languages carry', 'go', [base('cppbase', ['cpp', 'go']), base('gobase', ['go']), base('staticbase', ['cpp', 'go'])], 'gobase'],
    ['the newest of others', 'java-jar', [base('java21base', ['java-jar']), base('java8base', ['java-jar'], [release('java8base', '2025-01-01T00:00:00Z')])], 'java8base'],
    ['of equally new ones the first by name', 'java-jar', [base('java8base', ['java-jar']), base('java21base', ['java-jar'])], 'java21base'],
    ["that of K8SFramework's PHP", 'php', [base('php74base', ['php']), base('cppbase', ['cpp'])], 'php74base'],
    ['none that is empty', 'nodejs', [base('nodejsbase', ['nodejs'], []), base('nodejs22base', ['nodejs'])], 'nodejs22base'],
    ['none of another type', 'python', [base('cppbase', ['cpp']), base('pythonbase', ['python'], [release('x')], { imageType: 'server' })], undefined],
  ] as const)('%s', (_what, type, images, expected) => {
    expect(usualBase(images, type)?.id).toBe(expected)
  })

  test('its default release, else the first', () => {
    const image = base('cppbase', ['cpp'], [release('new'), release('old')])
    expect(currentRelease(image)?.id).toBe('new')
    expect(currentRelease({ ...image, default: 'old' })?.id).toBe('old')
    expect(currentRelease({ ...image, default: 'gone' })?.id).toBe('new')
  })
})
