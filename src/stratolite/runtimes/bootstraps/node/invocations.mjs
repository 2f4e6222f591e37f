// Invocations: events in, answers out, one after the other; the context object; when a callback's answer counts.

import { refusal, response } from "./connection.mjs";
import { runtimeError, told } from "./errors.mjs";
import { logError, speakFor } from "./log.mjs";
import { highWaterMarkOf, isStreaming, ResponseStream } from "./streams.mjs";

const CALLBACK_PARAMETERS = 3;
const FIRST_WITHOUT_CALLBACK = 24;

function parsed(text, name) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function about(headers) {
  const { env } = process;
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers["lambda-runtime-client-context"], "ClientContext"),
    identity: parsed(headers["lambda-runtime-cognito-identity"], "CognitoIdentity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function serialized(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch {
    throw new Error("Unable to stringify response body");
  }
}

/** From Node.js 24 on the parameter for a callback is refused. The declared runtime counts, not the one that runs. */
export function refuseCallback(handler) {
  const declared = Number(process.env.AWS_EXECUTION_ENV?.match(/nodejs(\d+)/)?.[1] ?? 0);
  if (declared >= FIRST_WITHOUT_CALLBACK && handler.length >= CALLBACK_PARAMETERS && !isStreaming(handler)) {
    throw runtimeError(
      "CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
        "You need to modify this function to use a supported handler signature to use Node.js 24 or later. " +
        "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
}

export class Invocations {
  constructor(handler) {
    this.handler = handler;
    this.streaming = isStreaming(handler);
    this.highWaterMark = highWaterMarkOf(handler);
    this.connection = undefined;
    this.requestId = undefined;
    this.whenIdle = undefined;
    // The connection does not count as work while an event is out: this comes when the handler has left nothing to do.
    process.on("beforeExit", () => {
      const { whenIdle } = this;
      this.whenIdle = undefined;
      whenIdle?.();
    });
  }

  take(headers, body) {
    const requestId = (this.requestId = headers["lambda-runtime-aws-request-id"]);
    speakFor(requestId, headers["lambda-runtime-aws-tenant-id"]);
    const trace = headers["lambda-runtime-trace-id"];
    if (trace === undefined) delete process.env._X_AMZN_TRACE_ID;
    else process.env._X_AMZN_TRACE_ID = trace;
    if (this.streaming) this.stream(requestId, headers, body);
    else this.call(requestId, headers, body);
  }

  answer(data) {
    this.requestId = this.whenIdle = undefined;
    this.connection.next(data);
  }

  call(requestId, headers, body) {
    let finished = false;
    let waits = true;
    // Before it counts as finished: a response that cannot be serialized becomes the error of the same event.
    const succeed = (result) => {
      if (finished) return;
      const data = response(requestId, serialized(result));
      finished = true;
      this.answer(data);
    };
    const refuse = (error) => {
      if (finished) return;
      finished = true;
      logError("Invoke Error", error);
      this.answer(refusal(requestId, told(error)));
    };
    const done = (error, result) => (error === undefined || error === null ? succeed(result) : refuse(error));
    const fail = (error) => refuse(error ?? "handled");
    let called = false;
    const callback = (error, result) => {
      if (finished || called) return;
      called = true;
      if (!waits || (error !== undefined && error !== null)) done(error, result);
      else this.whenIdle = () => succeed(result);
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
      succeed,
      fail,
      done,
    };
    this.whenIdle = () => succeed(null);
    try {
      const result = this.handler(JSON.parse(body), Object.assign(context, about(headers)), callback);
      if (typeof result?.then === "function") result.then(succeed, fail).catch(fail);
    } catch (error) {
      refuse(error);
    }
  }

  async stream(requestId, headers, body) {
    const out = new ResponseStream(this.connection, requestId, this.highWaterMark);
    let waits = true;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
    };
    const fail = (error) => {
      logError("Invoke Error", error);
      this.answer(out.close(told(error)));
    };
    this.whenIdle = () => fail("Response stream is not finished.");
    try {
      const result = this.handler(JSON.parse(body), out, Object.assign(context, about(headers)));
      if (typeof result?.then !== "function") return fail("Streaming does not support non-async handlers.");
      if ((await result) !== undefined) console.warn("Streaming handlers ignore return values.");
      if (!out.writableEnded) return fail("Response stream is not finished.");
      if (!out.writableFinished) await new Promise((finished) => out.once("finish", finished));
      const end = () => this.answer(out.close());
      if (waits) this.whenIdle = end;
      else end();
    } catch (error) {
      fail(error);
    }
  }
}
