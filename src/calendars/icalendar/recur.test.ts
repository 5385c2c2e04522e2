import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR } from '../../duration.ts'
import { parseRule, recur } from './recur.ts'

const FIRST = Date.UTC(1997, 8, 2, 9)
const untilOf = (text: string) => Date.parse(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}T23:59:59Z`)
const starts = (rule: string, first = FIRST, last = Date.UTC(2030, 0, 1)) => [
  ...recur(parseRule(rule, untilOf), first, first, last),
]
const datesOf = (rule: string, count: number, first = FIRST) =>
  starts(rule, first)
    .slice(0, count)
    .map(start => new Date(start).toISOString().slice(0, 10))
    .join(' ')

describe('a recurrence rule', () => {
  // Examples of RFC 5545, section 3.8.5.3, which all start on Tuesday 1997-09-02 at 09:00 unless they say otherwise.
  it.each([
    ['FREQ=DAILY;COUNT=3', '1997-09-02 1997-09-03 1997-09-04'],
    ['FREQ=DAILY;INTERVAL=10;COUNT=5', '1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12'],
    ['FREQ=DAILY;UNTIL=19970904T000000', '1997-09-02 1997-09-03 1997-09-04'],
    ['FREQ=WEEKLY;INTERVAL=2;WKST=SU', '1997-09-02 1997-09-16 1997-09-30 1997-10-14'],
    ['FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH', '1997-09-02 1997-09-04 1997-09-09 1997-09-11'],
    ['FREQ=MONTHLY;COUNT=10;BYDAY=1FR', '1997-09-05 1997-10-03 1997-11-07 1997-12-05'],
    ['FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU', '1997-09-07 1997-09-28 1997-11-02 1997-11-30'],
    ['FREQ=MONTHLY;COUNT=6;BYDAY=-2MO', '1997-09-22 1997-10-20 1997-11-17 1997-12-22'],
    ['FREQ=MONTHLY;BYMONTHDAY=-3', '1997-09-28 1997-10-29 1997-11-28 1997-12-29'],
    ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1', '1997-09-30 1997-10-01 1997-10-31 1997-11-01'],
    ['FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11', '1997-09-10 1997-09-11 1999-03-10 1999-03-11'],
    ['FREQ=YEARLY;COUNT=10;BYMONTH=6,7', '1998-06-02 1998-07-02 1999-06-02 1999-07-02'],
    ['FREQ=YEARLY;BYDAY=20MO', '1998-05-18 1999-05-17 2000-05-15'],
    ['FREQ=YEARLY;BYMONTH=3;BYDAY=TH', '1998-03-05 1998-03-12 1998-03-19 1998-03-26'],
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '1998-02-13 1998-03-13 1998-11-13 1999-08-13'],
    ['FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13', '1997-09-13 1997-10-11 1997-11-08 1997-12-13'],
    ['FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8', '1997-11-04 2001-11-06 2005-11-08'],
    ['FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', '1997-09-04 1997-10-07 1997-11-06'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2', '1997-09-29 1997-10-30 1997-11-27 1997-12-30'],
    ['FREQ=DAILY;BYMONTH=1', '1998-01-01 1998-01-02 1998-01-03'],
    // Months and years without the day are left out.
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2000-02-29 2004-02-29 2008-02-29'],
    ['FREQ=MONTHLY;BYMONTHDAY=31', '1997-10-31 1997-12-31 1998-01-31'],
  ])('%s', (rule, wanted) => expect(datesOf(rule, wanted.split(' ').length)).toBe(wanted))

  it('tells weeks apart by the day they start with', () => {
    const tuesday = Date.UTC(1997, 7, 5, 9)
    expect(datesOf('FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO', 9, tuesday)).toBe(
      '1997-08-05 1997-08-10 1997-08-19 1997-08-24',
    )
    expect(datesOf('FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU', 9, tuesday)).toBe(
      '1997-08-05 1997-08-17 1997-08-19 1997-08-31',
    )
  })

  it('stops counting at COUNT and ends when nothing ever matches', () => {
    expect(starts('FREQ=DAILY;COUNT=7')).toHaveLength(7)
    expect(starts('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30')).toEqual([])
    expect(starts('FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31')).toEqual([])
  })

  it('says the same from wherever it is asked', () => {
    const rules = fc.constantFrom(
      'FREQ=DAILY;INTERVAL=3',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA',
      'FREQ=MONTHLY;INTERVAL=5;BYDAY=-1FR',
      'FREQ=MONTHLY;BYMONTHDAY=31',
      'FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29',
      'FREQ=YEARLY;BYDAY=1MO,-1MO',
      'FREQ=DAILY;COUNT=900',
    )
    fc.assert(
      fc.property(rules, fc.nat(5000), fc.nat(400), (text, skip, span) => {
        const rule = parseRule(text, untilOf)
        const from = FIRST + skip * DAY
        const to = from + span * DAY
        const inside = (all: Iterable<number>) => [...all].filter(start => start >= from)
        expect(inside(recur(rule, FIRST, from, to))).toEqual(inside(recur(rule, FIRST, FIRST, to)))
      }),
    )
  })

  it.each([
    ['FREQ=HOURLY', 'must have a FREQ of DAILY, WEEKLY, MONTHLY, YEARLY; got HOURLY'],
    ['INTERVAL=2', 'must have a FREQ of'],
    ['FREQ=DAILY;BYHOUR=9', 'must have no other parts than'],
    ['FREQ=DAILY;COUNT=x', 'must have numbers of 1 to 1000000 in COUNT, got X'],
    ['FREQ=DAILY;INTERVAL=0', 'must have numbers of 1 to 10000 in INTERVAL, got 0'],
    ['FREQ=DAILY;COUNT=2;UNTIL=19980101', 'must have COUNT or UNTIL, got both'],
    ['FREQ=WEEKLY;BYDAY=XX', 'must have days like MO or -1FR in BYDAY, got XX'],
    ['FREQ=WEEKLY;BYDAY=1MO', 'must have plain days in BYDAY of WEEKLY, got 1MO'],
    ['FREQ=WEEKLY;BYMONTHDAY=1', 'must have no BYMONTHDAY in WEEKLY, got one'],
    ['FREQ=MONTHLY;BYMONTHDAY=32', 'got 32'],
    ['FREQ=DAILY;FREQ=DAILY', 'must have FREQ once, got it again'],
    ['daily', 'must have parts like FREQ=DAILY'],
  ])('refuses %s', (rule, message) => expect(() => parseRule(rule, untilOf)).toThrow(message))

  it('keeps the time of day', () => {
    for (const start of starts('FREQ=MONTHLY;BYDAY=2TU', FIRST, FIRST + 400 * DAY)) expect(start % DAY).toBe(9 * HOUR)
  })
})
