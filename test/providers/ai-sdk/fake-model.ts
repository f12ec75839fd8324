// An embedding model of the AI SDK's form without the SDK: the test decides what it says of itself
// and when its calls end.

import type { AiSdkCall, AiSdkModel, AiSdkReply } from "../../../src/providers/index.ts";

export const FAKE_DIMENSIONS = 2;

export class FakeModel implements AiSdkModel {
  readonly specificationVersion: AiSdkModel["specificationVersion"];
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: AiSdkModel["maxEmbeddingsPerCall"];
  readonly supportsParallelCalls: AiSdkModel["supportsParallelCalls"];
  /** What every call was given, in the order that the calls began. */
  readonly calls: AiSdkCall[] = [];
  /** Calls that are under way, and the most that ever were. */
  active = 0;
  peak = 0;
  /** What a call does after it was noted. @default the right answer */
  answer: (call: AiSdkCall) => AiSdkReply | Promise<AiSdkReply> = rightAnswer;

  constructor(says: Partial<AiSdkModel> = {}) {
    this.specificationVersion = says.specificationVersion ?? "v3";
    this.provider = says.provider ?? "fake.embedding";
    this.modelId = says.modelId ?? "fake-1";
    this.maxEmbeddingsPerCall = says.maxEmbeddingsPerCall;
    this.supportsParallelCalls = says.supportsParallelCalls ?? true;
  }

  async doEmbed(call: AiSdkCall): Promise<AiSdkReply> {
    this.calls.push(call);
    this.active++;
    this.peak = Math.max(this.peak, this.active);
    try {
      return await this.answer(call);
    } finally {
      this.active--;
    }
  }
}

/** A vector that follows from the text, for each. */
export function rightAnswer({ values }: AiSdkCall): AiSdkReply {
  return { embeddings: values.map(fakeVector), usage: { tokens: values.length * 2 } };
}

export function fakeVector(text: string): number[] {
  return [text.length, text.charCodeAt(0)];
}
