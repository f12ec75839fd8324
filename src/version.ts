/** The version of this package, the same in package.json and jsr.json. */
export const VERSION: string = "0.1.0";
