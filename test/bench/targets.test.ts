// Targets are judged by what the rounds say, each round by itself.

import { expect, test } from "bun:test";
import type { Measurement } from "../../scripts/bench/runner.ts";
import { SCENARIOS } from "../../scripts/bench/scenarios/index.ts";
import { judge, TARGETS } from "../../scripts/bench/targets.ts";

type Given = Pick<Measurement, "scenario" | "form" | "contender" | "round"> & {
  readonly figures: Readonly<Record<string, number>>;
};

const measured = (given: readonly Given[]) =>
  judge(given.map((one) => ({ ...one, runtime: "node", items: 100 })));

const drain = (contender: Given["contender"], ...rates: number[]): Given[] =>
  rates.map((rate, round) => ({
    ...{ scenario: "drain", form: "768", contender, round },
    figures: { rate },
  }));

test("a ratio is the median of the ratios of each round", () => {
  const verdicts = measured([...drain("embedq", 60, 10, 80), ...drain("raw", 100, 40, 100)]);
  expect(verdicts).toHaveLength(1);
  expect(verdicts[0]).toMatchObject({ measured: 0.6, wanted: 0.5, isMet: true, isAimMet: false });
});

test("a void round counts for neither side", () => {
  const [verdict] = measured([...drain("embedq", 10, 80), ...drain("raw", 100, 100).slice(1)]);
  expect(verdict).toMatchObject({ measured: 0.8, isMet: true, isAimMet: true });
});

test("memory may grow by so much, less is better", () => {
  const peak = (form: string, value: number): Given => ({
    ...{ scenario: "backlog", form, contender: "embedq", round: 0 },
    figures: { peak: value, rate: 1 },
  });
  const title = "worker memory at 1,000,000 above that at 10,000";
  const found = (growth: number) =>
    measured([peak("10k", 90), peak("1m", 90 + growth)]).find((one) => one.title === title);
  expect(found(51)).toMatchObject({ measured: 51, isMet: false });
  expect(found(49)).toMatchObject({ measured: 49, isMet: true });
});

test("every target names figures that a scenario gives", () => {
  const given = new Set(
    SCENARIOS.flatMap(({ name, cases, metrics }) =>
      cases.flatMap((form) =>
        Object.keys(form.items).flatMap((contender) =>
          Object.keys(metrics).map((metric) => [name, form.name, contender, metric].join()),
        ),
      ),
    ),
  );
  const named = TARGETS.flatMap(({ figure, by }) => (by === undefined ? [figure] : [figure, by]));
  const missing = named
    .map(({ scenario, form, contender, metric }) => [scenario, form, contender, metric].join())
    .filter((name) => !given.has(name));
  expect(missing).toEqual([]);
});
