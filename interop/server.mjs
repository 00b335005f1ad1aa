// Starts idp serve with a new configuration, and another provider. The environment
// variable IDP is the path of the idp binary; run.sh builds it and sets the variable.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A running idp serve with one client and one person, Jane. */
export class Server {
  constructor(issuer, folder, process) {
    Object.assign(this, { issuer, folder, process });
  }

  /** Starts a server. client is YAML of the client; files are written next to idp.yaml. */
  static async start({ client, files = {} }) {
    const folder = mkdtempSync(join(tmpdir(), "idp-interop-"));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const hashed = spawnSync(process.env.IDP, ["people", "hash"], { input: "jane-password\n", encoding: "utf8" });
    writeFileSync(
      join(folder, "people.yaml"),
      `people:
  - username: jane
    sub: 0123456789abcdef
    password_hash: '${hashed.stdout.trim()}'
    customerInfo: {ctype: gold}
`,
    );
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content);
    }
    writeFileSync(
      join(folder, "idp.yaml"),
      `issuer: ${issuer}
listen: 127.0.0.1:${port}
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
${client}
`,
    );
    const child = spawn(process.env.IDP, ["serve", "--config", join(folder, "idp.yaml")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    await new Promise((resolve, reject) => {
      child.stderr.on("data", (text) => {
        log += text;
        if (log.includes('"serving"')) resolve();
      });
      child.on("exit", () => reject(new Error(`idp serve did not start: ${log}`)));
    });
    return new Server(issuer, folder, child);
  }

  async stop() {
    const exited = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.kill("SIGTERM");
    await exited;
    rmSync(this.folder, { recursive: true });
  }
}

/** Another provider, see otherprovider.mjs. */
export class OtherProvider {
  constructor(issuer, child) {
    Object.assign(this, { issuer, process: child });
  }

  static async start() {
    const port = await freePort();
    const child = spawn(process.execPath, ["otherprovider.mjs", String(port)], { stdio: ["pipe", "pipe", "ignore"] });
    await new Promise((resolve, reject) => {
      child.stdout.once("data", resolve);
      child.on("exit", () => reject(new Error("the other provider did not start")));
    });
    return new OtherProvider(`http://127.0.0.1:${port}`, child);
  }

  /** Runs idp conformance against this provider. */
  async conformance(...args) {
    const secret = (id) => `${id}-secret-0123456789abcdef0123456789`;
    const child = spawn(
      process.env.IDP,
      [
        "conformance", "--issuer", this.issuer, "--client", "web", "--other", "other", "--post", "post",
        "--redirect-uri", "https://web.example/cb", "--post-logout-redirect-uri", "https://web.example/bye", ...args,
      ],
      {
        env: {
          IDP_CONFORMANCE_SECRET: secret("web"),
          IDP_CONFORMANCE_OTHER_SECRET: secret("other"),
          IDP_CONFORMANCE_POST_SECRET: secret("post"),
          IDP_CONFORMANCE_PASSWORD: "any",
          IDP_CONFORMANCE_OTHER_PASSWORD: "any",
        },
      },
    );
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, stdout, stderr };
  }

  async stop() {
    const exited = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.stdin.end();
    await exited;
  }
}

/** Returns a free port of the loopback address. */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
