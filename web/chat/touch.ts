const coarse = matchMedia('(pointer: coarse)')

/** A phone: a new line is a new line there, and a field that takes the focus brings a keyboard over half of the page. */
export const isTouch = (): boolean => coarse.matches
