import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Slots } from '../../../src/nodes/affinity/slots.ts'

describe('slots', () => {
  it('give out each number once, and those given back before new ones', () => {
    const slots = new Slots(10)
    expect([slots.take(0), slots.take(0), slots.take(0)]).toEqual([1, 2, 3])
    slots.giveBack(2)
    slots.giveBack(1)
    expect([slots.take(0), slots.take(0), slots.take(0), slots.size]).toEqual([1, 2, 4, 4])
  })

  it('make room up to the number they were told, and not one more', () => {
    const most = 300
    const slots = new Slots(most)
    const taken = Array.from({ length: most }, (_, time) => slots.take(time))
    expect(new Set(taken)).toEqual(new Set(taken.map((_, index) => index + 1)))
    expect(taken.map((slot) => slots.usedAt(slot))).toEqual(taken.map((_, time) => time))
  })

  it('keep the order of use, as a list does', () => {
    const step = fc.tuple(fc.constantFrom('take', 'use', 'giveBack'), fc.nat())
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const slots = new Slots(300)
        const order: number[] = []
        for (const [time, [what, which]] of steps.entries()) {
          const [slot] = what === 'take' ? [slots.take(time)] : order.splice(which % (order.length || 1), 1)
          if (slot === undefined) continue
          if (what === 'use') slots.use(slot, time)
          if (what === 'giveBack') slots.giveBack(slot)
          else {
            order.push(slot)
            expect(slots.usedAt(slot)).toBe(time)
          }
          expect([slots.oldest, slots.size]).toEqual([order[0] ?? 0, order.length])
        }
        for (const slot of order) {
          expect(slots.oldest).toBe(slot)
          slots.giveBack(slot)
        }
        expect([slots.oldest, slots.size]).toEqual([0, 0])
      }),
    )
  })
})
