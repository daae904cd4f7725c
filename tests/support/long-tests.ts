/**
 * True when tests that have a smaller size for every day take their full one: `ICEBOX_TEST_LONG=1 npm test`. What they
 * show is the same; it is two more minutes of work.
 */
export const isLong = process.env.ICEBOX_TEST_LONG === '1'
