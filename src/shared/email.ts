/** An address as accounts are found by it: of an account there is one spelling. */
export const normaliseEmail = (email: string): string => email.trim().toLowerCase()
