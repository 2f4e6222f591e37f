// Errors: how what a handler throws is told to the platform and written to the log, in AWS's shapes.

import { types } from "node:util";

class RuntimeError extends Error {
  constructor(kind, cause) {
    super(cause);
    Object.defineProperty(this, "name", { value: `Runtime.${kind}`, enumerable: false });
    this.stack = this.stack.replace(/^Error/, this.name);
  }
}

/** `runtimeError("HandlerNotFound", "index.x is undefined or not exported")`; the cause may be an error itself. */
export const runtimeError = (kind, cause) => new RuntimeError(kind, cause);

export function unhandledRejection(reason, promise) {
  const error = new RuntimeError("UnhandledPromiseRejection", reason);
  return Object.assign(error, { reason, promise });
}

const looksLikeError = (value) =>
  types.isNativeError(value) ||
  ["name", "message", "stack"].every((member) => value?.[member] && typeof value[member] === "string");

// A DEL may not travel in a header, where X-Ray's copy goes.
const clean = (text) => text?.replaceAll("\x7f", "%7F");

/** What the caller gets: `{errorType, errorMessage, trace}`. */
export function told(error) {
  try {
    if (looksLikeError(error)) {
      return { errorType: clean(error.name), errorMessage: clean(error.message), trace: clean(error.stack).split("\n") };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
    };
  }
}

export const asError = (value) => (value instanceof Error ? value : new Error(value));

function withMembers(error) {
  const { name: errorType, message: errorMessage, code } = error;
  const members = { errorType, errorMessage, code, ...error };
  return typeof error.stack === "string" ? { ...members, stack: error.stack.split("\n") } : members;
}

/** An error as a line of the text log has it: a tab, then JSON with the error's own members. */
export function logged(error) {
  try {
    return "\t" + JSON.stringify(error, (_, value) => (value instanceof Error ? withMembers(value) : value));
  } catch {
    return "\t" + JSON.stringify(told(error));
  }
}
