// Connection: the Runtime API over one socket; a response and the wish for the next event leave in one write.

const PREFIX = "/2018-06-01/runtime/";
const HOST = "Host: runtime\r\n";
const NEXT = Buffer.from(`GET ${PREFIX}invocation/next HTTP/1.1\r\n${HOST}\r\n`);
const EVENT = 200;
const REFUSALS = 400;
const TOO_LARGE = 413;

const post = (path, headers, body) => {
  const head = `POST ${PREFIX}${path} HTTP/1.1\r\n${HOST}${headers}`;
  return Buffer.from(`${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};

export const response = (requestId, body) => post(`invocation/${requestId}/response`, "", body);

const errorHeader = (error) => `Lambda-Runtime-Function-Error-Type: ${error.errorType.replace(/[^\x20-\x7e]/g, "?")}\r\n`;
export const refusal = (requestId, error) =>
  post(`invocation/${requestId}/error`, errorHeader(error), JSON.stringify(error));
export const initError = (error) => post("init/error", errorHeader(error), JSON.stringify(error));

/** What opens a streamed response; chunks follow. */
export const streamHead = (requestId, contentType) =>
  `POST ${PREFIX}invocation/${requestId}/response HTTP/1.1\r\n${HOST}` +
  `Content-Type: ${contentType}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n` +
  "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n";

export const streamEnd = (error) => {
  if (error === undefined) return "0\r\n\r\n";
  const body = Buffer.from(JSON.stringify(error)).toString("base64");
  return `0\r\n${errorHeader(error)}Lambda-Runtime-Function-Error-Body: ${body}\r\n\r\n`;
};

export class Connection {
  /** `take(headers, body)` gets every event; the socket keeps the process alive only while one is awaited. */
  constructor(socket, take) {
    this.socket = socket;
    this.take = take;
    this.chunks = [];
    this.have = 0;
    this.need = 0;
    socket.on("data", (chunk) => this.read(chunk));
    // The server is gone; nobody is left to tell.
    socket.on("close", () => process.exit(0));
    socket.on("error", () => process.exit(0));
    socket.unref();
  }

  /** Ask for the next event, behind whatever still has to be said. */
  next(held) {
    this.socket.ref();
    this.socket.write(held === undefined ? NEXT : Buffer.concat([held, NEXT]));
  }

  write(data, done) {
    this.socket.write(data, done);
  }

  /** The last words: say them and end the process. */
  end(data, status) {
    this.socket.ref();
    this.socket.write(data, () => process.exit(status));
  }

  read(chunk) {
    this.chunks.push(chunk);
    this.have += chunk.length;
    while (this.have >= this.need && this.have > 0) {
      const data = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
      this.chunks = [data];
      const split = data.indexOf("\r\n\r\n");
      if (split < 0) return;
      const [status, ...lines] = data.toString("utf8", 0, split).split("\r\n");
      const headers = Object.create(null);
      for (const line of lines) {
        const colon = line.indexOf(":");
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
      }
      const end = split + 4 + Number(headers["content-length"] ?? 0);
      if (data.length < end) {
        this.need = end;
        return;
      }
      this.chunks = data.length > end ? [data.subarray(end)] : [];
      this.have -= end;
      this.need = 0;
      this.dispatch(Number(status.slice(9, 12)), headers, data.toString("utf8", split + 4, end));
    }
  }

  dispatch(status, headers, body) {
    if (status === EVENT) {
      this.socket.unref();
      this.take(headers, body);
    } else if (status >= REFUSALS && status !== TOO_LARGE) {
      throw new Error(`The Runtime API refused: ${status} ${body}`);
    }
  }
}
