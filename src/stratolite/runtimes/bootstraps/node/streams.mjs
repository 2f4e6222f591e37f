// Streams: `awslambda.streamifyResponse`, and the stream its handlers write to.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html

import { Writable } from "node:stream";
import { streamEnd, streamHead } from "./connection.mjs";
import { runtimeError } from "./errors.mjs";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const HTTP_PRELUDE = "application/vnd.awslambda.http-integration-response";
const PRELUDE_END_BYTES = 8;

const isBytes = (chunk) => typeof chunk === "string" || Buffer.isBuffer(chunk) || chunk?.constructor === Uint8Array;

export class ResponseStream extends Writable {
  constructor(connection, requestId, highWaterMark) {
    super({ highWaterMark, decodeStrings: true });
    this.connection = connection;
    this.requestId = requestId;
    this.contentType = "application/octet-stream";
    this.begun = false;
  }

  setContentType(contentType) {
    if (this.begun) throw runtimeError("InvalidStreamingOperation", "Cannot set content-type, too late.");
    this.contentType = contentType;
  }

  write(chunk, ...rest) {
    this.begin();
    return super.write(isBytes(chunk) ? chunk : JSON.stringify(chunk), ...rest);
  }

  end(chunk, ...rest) {
    if (chunk !== undefined && chunk !== null && typeof chunk !== "function") {
      this.write(chunk);
      return super.end(...rest.filter((each) => typeof each === "function"));
    }
    return super.end(chunk, ...rest);
  }

  begin() {
    if (this.begun) return;
    this.begun = true;
    this.connection.write(streamHead(this.requestId, this.contentType));
    this._onBeforeFirstWrite?.((chunk) => super.write(chunk));
  }

  _write(chunk, _, done) {
    if (chunk.length === 0) return done();
    this.connection.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]), done);
  }

  _final(done) {
    this.begin();
    done();
  }

  /** The end of the HTTP request, with what went wrong. */
  close(error) {
    if (!this.begun) this.begin();
    return Buffer.from(streamEnd(error));
  }
}

export const isStreaming = (handler) => {
  const mode = handler[STREAMING];
  if (mode === undefined || mode === null || mode === false) return false;
  if (mode !== "response") throw runtimeError("MalformedStreamingHandler", "Only response streaming is supported.");
  return true;
};

export const highWaterMarkOf = (handler) => handler[HIGH_WATER_MARK];

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType(HTTP_PRELUDE);
    stream._onBeforeFirstWrite = (write) => {
      write(JSON.stringify(prelude));
      write(new Uint8Array(PRELUDE_END_BYTES));
    };
    return stream;
  }
}

export const awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = "response";
    if (typeof options?.highWaterMark === "number") handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
    return handler;
  },
  HttpResponseStream,
};
