// embedq stats --watch: looks at the queue again and again, and shows it: on a screen, or in lines.

import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { DeadLetter, EmbeddingQueue, QueueStats } from "../../index.ts";
import type { Context } from "../context.ts";
import { isRedisAway, messageOf } from "../errors.ts";
import { counted } from "../format.ts";
import { pauseFor, raised } from "../pause.ts";
import { History } from "./history.ts";
import { logLine } from "./log-line.ts";
import { Screen } from "./screen.ts";
import { view } from "./view.ts";

/** The clock and what still lasts go on between two looks. */
const DRAW_EVERY_MS = 1000;
/** More than a screen shows of them. */
const LETTERS = 100;

interface Look {
  readonly stats: QueueStats;
  readonly at: Date;
}

/** What is known of a queue, look by look. */
class Observer {
  readonly history: History = new History();
  last: Look | undefined;
  trouble: { since: Date; message: string } | undefined;
  letters: readonly DeadLetter[] = [];
  readonly #queue: EmbeddingQueue;

  constructor(queue: EmbeddingQueue) {
    this.#queue = queue;
    queue.on("connection:lost", ({ error }) => this.#miss(error));
  }

  /** @throws {EmbedqError} Anything but that Redis is away, which is only noted. */
  async look(withLetters: boolean): Promise<void> {
    try {
      const stats = await this.#queue.stats();
      this.letters =
        withLetters && stats.dead > 0
          ? await this.#queue.deadLetters({ newestFirst: true, limit: LETTERS })
          : [];
      this.history.add(stats, performance.now());
      this.last = { stats, at: new Date() };
      this.trouble = undefined;
    } catch (error) {
      if (!isRedisAway(error)) throw error;
      this.#miss(error as Error);
    }
  }

  #miss(error: Error): void {
    this.trouble = { since: this.trouble?.since ?? new Date(), message: messageOf(error) };
  }
}

/** Until somebody quits it, or a signal ends it. */
export async function watchStats(
  context: Context,
  queue: EmbeddingQueue,
  everyMs: number,
): Promise<void> {
  const isTerminal = process.stdout.isTTY === true && process.env["TERM"] !== "dumb";
  const observer = new Observer(queue);
  if (isTerminal && !context.out.isJson) await watchOnScreen(context, queue, observer, everyMs);
  else await watchInLines(context, observer, everyMs);
}

async function watchOnScreen(
  { out, signal, name, redisPlace }: Context,
  queue: EmbeddingQueue,
  observer: Observer,
  everyMs: number,
): Promise<void> {
  const quit = new AbortController();
  const onSignal = () => quit.abort();
  signal.addEventListener("abort", onSignal);
  const screen = new Screen(
    () => quit.abort(),
    () => draw(),
  );
  const draw = () => {
    const { space } = queue.settings;
    const { columns, rows } = screen;
    const state = {
      queue: name,
      redis: redisPlace,
      model: space && `${space.model}, ${counted(space.dimensions)} dimensions`,
      now: new Date(),
      stats: observer.last?.stats,
      history: observer.history,
      letters: observer.letters,
      trouble: observer.trouble,
      everyMs,
    };
    screen.draw(view(state, { columns, rows, style: out.style }));
  };
  const unhear = queue.on("connection:lost", draw);
  const clock = setInterval(draw, DRAW_EVERY_MS);
  const looking = async () => {
    draw();
    while (!quit.signal.aborted) {
      await observer.look(true);
      draw();
      await pauseFor(everyMs, quit.signal);
    }
  };
  try {
    // A look under way may last as long as Redis is silent: who quits does not wait for it.
    await Promise.race([looking(), raised(quit.signal)]);
  } finally {
    quit.abort();
    clearInterval(clock);
    unhear();
    signal.removeEventListener("abort", onSignal);
    screen.close();
  }
  signal.throwIfAborted();
}

async function watchInLines(
  { out, signal }: Context,
  observer: Observer,
  everyMs: number,
): Promise<void> {
  while (!signal.aborted) {
    await observer.look(false);
    const time = new Date().toISOString();
    const { trouble, last, history } = observer;
    const rates = history.rates();
    if (out.isJson) {
      const error = trouble && { code: "ERR_REDIS_UNAVAILABLE", message: trouble.message };
      out.jsonLine(error === undefined ? { time, ...last?.stats, rates } : { time, error });
    } else {
      const text =
        trouble === undefined && last !== undefined
          ? logLine(last.stats, rates)
          : `Redis is away: ${trouble?.message}`;
      out.line(`${time.replace(/\.\d+/, "")} ${text}`);
    }
    await pauseFor(everyMs, signal);
  }
  signal.throwIfAborted();
}
