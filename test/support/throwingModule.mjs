export const echo = (input) => input
throw new Error("this module throws")
