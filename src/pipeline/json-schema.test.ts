import { expect, it } from 'vitest'
import { toyFamilies } from '../testing/toy-families.ts'
import { configurationJsonSchema } from './json-schema.ts'

const { $defs } = configurationJsonSchema(toyFamilies())
const branch = (family: string, type: string) =>
  $defs[family].anyOf.find((one: { properties?: { type?: { const?: string } } }) => one.properties?.type?.const === type)

it('knows the transforms and calendars of a flow, alone or in a list', () => {
  for (const [key, family] of [
    ['transform', 'transform'],
    ['calendar', 'calendar'],
  ] as const) {
    const reference = { $ref: `#/$defs/${family}` }
    expect($defs.flow.properties[key].anyOf).toEqual([reference, { type: 'array', items: reference }])
  }
  expect(branch('transform', 'fill').properties.gaps.enum).toEqual(['hold', 'interpolate', 'alert', 'ignore'])
  expect(branch('transform', 'resample').required).toEqual(['type', 'step'])
})

it('lets a calendar take its text from a file', () => {
  expect(branch('calendar', 'icalendar').properties.text.anyOf).toMatchObject([
    { type: 'string' },
    { type: 'object', required: ['file'] },
  ])
  expect(branch('calendar', 'weekly').properties.from.type).toBe('string')
})
