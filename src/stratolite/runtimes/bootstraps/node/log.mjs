// Log: `console`, as AWS's Node.js runtime replaces it: text lines with tabs, or JSON, and levels.
//
// A message is one frame on standard output (runtimes/output.py), so that it stays one event however many lines it has.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html

import fs from "node:fs";
import { format } from "node:util";
import { asError, logged } from "./errors.mjs";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const METHODS = { trace: "TRACE", debug: "DEBUG", info: "INFO", log: "INFO", warn: "WARN", error: "ERROR" };
const FRAME = 0xa55a0000;
const TEXT = 3;
const JSON_TEXT = 2;
const HEAD_BYTES = 16;
const FULL_MS = 1;

let requestId;
let tenantId;
/** AWS writes `undefined` until the first event has come. */
export function speakFor(request, tenant) {
  requestId = request;
  tenantId = tenant;
}

function write(data) {
  for (let done = 0; done < data.length; ) {
    try {
      done += fs.writeSync(1, data, done);
    } catch (error) {
      if (error.code !== "EAGAIN") return;
      // The pipe is full, and somebody's use of process.stdout made it non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
    }
  }
}

function frame(kind, level, now, text) {
  const size = Buffer.byteLength(text);
  const data = Buffer.allocUnsafe(HEAD_BYTES + size);
  data.writeUInt32BE((FRAME | ((LEVELS.indexOf(level) + 1) << 2) | kind) >>> 0, 0);
  data.writeUInt32BE(size, 4);
  data.writeBigInt64BE(BigInt(now.valueOf()) * 1000n, 8);
  data.write(text, HEAD_BYTES);
  return data;
}

function asText(level, ...words) {
  const now = new Date();
  write(frame(TEXT, level, now, `${now.toISOString()}\t${requestId}\t${level}\t${format(...words)}\n`));
}

const described = (error) => ({
  errorType: error.constructor?.name ?? "UnknownError",
  errorMessage: error.message,
  stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : [],
});

const describe = (_, value) => (value instanceof Error ? { ...described(value), ...value } : value);

function asJson(level, ...words) {
  const now = new Date();
  const record = { timestamp: now.toISOString(), level, requestId };
  if (tenantId !== undefined) record.tenantId = tenantId;
  let text;
  if (words.length === 1) {
    try {
      text = JSON.stringify({ ...record, message: words[0] }, describe);
    } catch {
      text = JSON.stringify({ ...record, message: format(words[0]) });
    }
  } else {
    const error = words.find((word) => word instanceof Error);
    text = JSON.stringify({ ...record, message: format(...words), ...(error && described(error)) });
  }
  write(frame(JSON_TEXT, level, now, text + "\n"));
}

/** Replace `console`'s methods; the environment's variables decide how. */
export function replaceConsole() {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
  const lowest = Math.max(0, LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
  const log = json ? asJson : asText;
  for (const [method, level] of Object.entries(METHODS)) {
    // The first word is a parameter of its own: `console.log()` says "undefined" on AWS.
    console[method] =
      LEVELS.indexOf(level) >= lowest ? (word, ...words) => log(level, word, ...words) : (_word, ..._words) => {};
  }
  console.fatal = (word, ...words) => log("FATAL", word, ...words);
  logError = json
    ? (_, error) => console.error(asError(error))
    : (title, error) => console.error(title, logged(asError(error)));
}

/** The runtime's own lines: `Invoke Error`, `Uncaught Exception`, `Unhandled Promise Rejection`. */
export let logError = () => {};
