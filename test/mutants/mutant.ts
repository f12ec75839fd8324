// One breakage on purpose, and the test that must notice it.
// To add one: a text of src/ that occurs once in its file, what it becomes, and the test by file and name.

export interface Mutant {
  readonly name: string;
  /** File in src/. */
  readonly file: string;
  /** Text that occurs in the file exactly once. */
  readonly from: string;
  readonly to: string;
  readonly caughtBy: TestName;
}

export interface TestName {
  /** File in test/, without `.test.ts`. */
  readonly file: string;
  readonly test: string;
}
