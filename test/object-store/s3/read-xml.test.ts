import { expect, test } from 'vitest'
import { xmlText } from '../../../lib/object-store/s3/acts/xml-text.ts'
import { readXml, textOf } from '../../../lib/object-store/s3/answers/read-xml.ts'
import fc from '../../helpers/fast-check.ts'

test('elements, texts, entities and comments are read; attributes and prefixes of names are left out', () => {
  const document = readXml(`\uFEFF<?xml version="1.0" encoding='UTF-8'?>
<s3:A xmlns:s3="http://x/" a='1'><!-- - --><B>x &amp; &lt;&#65;&#x42;&quot;&apos;</B><C/><B>second</B ></s3:A>\n`)
  expect(document.name).toBe('A')
  expect(document.children.map(({ name }) => name)).toEqual(['B', 'C', 'B'])
  expect(textOf(document, 'B')).toBe('x & <AB"\'')
  expect(textOf(document, 'D')).toBeUndefined()
})

test.each([
  ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
  ['CDATA', '<a><![CDATA[x]]></a>'],
  ['an instruction', '<a><?php ?></a>'],
  ['an unknown entity', '<a>&nbsp;</a>'],
  ['an entity of a member of Object', '<a>&constructor;</a>'],
  ['an open ampersand', '<a>a & b</a>'],
  ['half of a surrogate pair', '<a>&#xD800;</a>'],
  ['two documents', '<a/><b/>'],
  ['text before the document', 'x<a/>'],
  ['text behind the document', '<a/>x'],
  ['a missing end', '<a><b></b>'],
  ['another end', '<a></b>'],
  ['an end without a start', '</a>'],
  ['an open tag', '<a'],
  ['nothing', ''],
  ['deep nesting', '<a>'.repeat(17) + '</a>'.repeat(17)],
  ['many elements', `<a>${'<b/>'.repeat(50_000)}</a>`],
])('%s is refused', (_, text) => {
  expect(() => readXml(text)).toThrow(/at offset \d+$/)
})

test('every text that is written is read again', () => {
  const text = fc.string({ unit: 'binary' }).filter(value => !/[\ud800-\udfff]/u.test(value) && value.trim() === value)
  fc.assert(fc.property(text, value => readXml(`<a>${xmlText(value)}</a>`).text === value))
})

test('a long hostile document is refused in little time', () => {
  const before = process.cpuUsage()
  for (const part of ['<a a="', '<!--', '<a ', '&', '<']) {
    expect(() => readXml(`<x>${part.repeat(100_000)}`)).toThrow(/offset/)
  }
  expect(process.cpuUsage(before).user).toBeLessThan(10_000_000)
})
