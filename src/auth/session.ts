/** Days that a session lives. */
export const sessionDays = 30
